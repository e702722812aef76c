/* Copyright: (c) 2026, netmedic.calico contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later */
(function () {
  "use strict";
  var one = function (id) { return document.getElementById(id); };
  var all = function (what, where) { return Array.prototype.slice.call((where || document).querySelectorAll(what)); };
  all(".controls").forEach(function (box) { box.hidden = false; });

  // Findings: filter, order, unfold.
  var list = one("list");
  if (list) {
    var articles = all(".finding", list);
    var texts = articles.map(function (item) { return item.textContent.toLowerCase(); });
    var severities = ["info", "minor", "major", "critical"];
    var show = function () {
      var word = one("filter").value.trim().toLowerCase();
      var least = severities.indexOf(one("least").value);
      var shown = 0;
      articles.forEach(function (item, at) {
        item.hidden = texts[at].indexOf(word) < 0 || Number(item.dataset.severity) < least;
        shown += item.hidden ? 0 : 1;
      });
      one("count").textContent = shown + " of " + articles.length + " shown";
    };
    var names = new Intl.Collator(undefined, { numeric: true });
    var order = function () {
      var by = one("order").value;
      articles.slice().sort(function (a, b) {
        var way = 0;
        if (by === "node") { way = names.compare(a.dataset.node, b.dataset.node); }
        if (by === "severity") { way = b.dataset.severity - a.dataset.severity; }
        if (by === "sure") { way = b.dataset.sure - a.dataset.sure; }
        return way || a.dataset.number - b.dataset.number;
      }).forEach(function (item) { list.appendChild(item); });
    };
    one("filter").addEventListener("input", show);
    one("least").addEventListener("change", show);
    one("order").addEventListener("change", order);
    one("unfold").addEventListener("click", function () {
      var open = this.textContent === "Unfold all";
      all("details", list).forEach(function (item) { item.open = open; });
      this.textContent = open ? "Fold all" : "Unfold all";
    });
    show();
  }

  // A link into something that is folded or filtered away shows it.
  var reveal = function () {
    var goal = location.hash.length > 1 && one(decodeURIComponent(location.hash.slice(1)));
    if (!goal) { return; }
    if (goal.classList.contains("finding")) { goal.hidden = false; }
    for (var box = goal; box; box = box.parentElement) { if (box.tagName === "DETAILS") { box.open = true; } }
    goal.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  // Commands to copy.
  all("pre.commands").forEach(function (block) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", function () {
      var text = block.querySelector("code").textContent.trimEnd();
      var done = function () { button.textContent = "Copied"; setTimeout(function () { button.textContent = "Copy"; }, 1500); };
      var select = function () {
        var range = document.createRange();
        range.selectNodeContents(block.querySelector("code"));
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        button.textContent = "Selected";
      };
      if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, select); } else { select(); }
    });
    block.parentNode.insertBefore(button, block);
  });

  // Tables to sort.
  all("table.sortable").forEach(function (table) {
    var body = table.tBodies[0];
    all("thead th", table).forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        all("th", table.tHead).forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var collator = new Intl.Collator(undefined, { numeric: true });
        var rows = all("tr", body).map(function (row) { return [row.cells[column].textContent.trim(), row]; });
        rows.sort(function (a, b) { return (down ? -1 : 1) * collator.compare(a[0], b[0]); });
        rows.forEach(function (pair) { body.appendChild(pair[1]); });
      });
    });
  });

  // Pairs: what the matrix shows, in words.
  var data = JSON.parse(one("data").textContent);
  var within = function (runs, at) { return runs.some(function (run) { return at >= run[0] && at < run[0] + run[1]; }); };
  var state = function (row, column) {
    var here = data.rows[row], there = data.rows[column];
    var told = within(here[1], column) ? "dials it in vain"
      : within(there[1], row) ? "waits in vain to be dialled by it"
      : within(here[2], column) ? "has no protocol for it, but should have"
      : within(here[0], column) ? "has an established session with it"
      : here[3] ? "has no session with it" : "was not read";
    return data.names[row] + " → " + data.names[column] + ": " + data.names[row] + " " + told;
  };
  var square = one("square");
  if (square) {
    var box = one("names");
    data.names.forEach(function (name) { var option = document.createElement("option"); option.value = name; box.appendChild(option); });
    var look = function () {
      var row = data.names.indexOf(one("row").value), column = data.names.indexOf(one("column").value);
      if (row >= 0 && column >= 0) { one("pair").textContent = row === column ? "The same node." : state(row, column); }
    };
    one("row").addEventListener("input", look);
    one("column").addEventListener("input", look);
    square.addEventListener("mousemove", function (event) {
      var point = new DOMPoint(event.clientX, event.clientY).matrixTransform(square.getScreenCTM().inverse());
      var row = Math.floor(point.y) * data.per, column = Math.floor(point.x) * data.per;
      if (row < 0 || column < 0 || row >= data.names.length || column >= data.names.length) { return; }
      one("pair").textContent = data.per > 1
        ? "from " + data.names[row] + " to " + data.names[column]
        : row === column ? data.names[row] : state(row, column);
    });
  }

  // A node of the picture: its own sessions stand out, and the findings are filtered by it.
  var picture = document.querySelector("svg.mesh[role]");
  if (picture) {
    picture.addEventListener("click", function (event) {
      var node = event.target.closest("g.node");
      var before = picture.querySelector("g.chosen");
      if (before) { before.classList.remove("chosen"); }
      picture.classList.remove("chosen");
      all(".mine", picture).forEach(function (line) { line.classList.remove("mine"); });
      if (!node || node === before) { return; }
      node.classList.add("chosen");
      picture.classList.add("chosen");
      all(".edge", picture).forEach(function (line) {
        if (line.dataset.a === node.dataset.n || line.dataset.b === node.dataset.n) { line.classList.add("mine"); }
      });
    });
  }

  window.addEventListener("beforeprint", function () { all("details").forEach(function (item) { item.open = true; }); });
}());
