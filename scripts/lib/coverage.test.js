// What scripts/coverage concludes from forge's counts.
"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { judge, linesWith, merge, missing, parse } = require("./coverage.js");

const SOURCE = `contract C {
    function f(uint256 x) external {
        check();
        if (x == 0) revert Zero();
        if (x == 1) {
            one();
        }
        done = true;
        // the end
        if (x == 2) two();
    }
}
`.split("\n");

const report = (lines) => `SF:c.sol\nFN:2,C.f\n${lines.join("\n")}\nend_of_record\n`;
const judged = (lines) => judge(parse(report(lines)), () => SOURCE);
const found = (...reports) => missing(merge(reports.map(judged)), () => SOURCE).map(({ line, what }) => `${line} ${what}`);

const ALL = ["DA:2,9", "FNDA:9,C.f", "DA:3,9", "DA:4,9", "BRDA:4,0,0,1", "DA:5,8", "BRDA:5,1,0,2", "DA:6,2", "DA:8,8", "DA:10,8", "BRDA:10,2,0,3"];
/** All of it, with other counts in the lines that start so. */
const but = (...changed) => ALL.map((line) => changed.find((other) => other.slice(0, other.lastIndexOf(",")) === line.slice(0, line.lastIndexOf(","))) ?? line);

test("nothing is missing when every line and both ways of every branch were reached", () => {
  assert.deepEqual(found(ALL), []);
});

test("a line that nothing shows to be reached is missing, in its function", () => {
  const place = missing(judged(but("DA:6,0", "BRDA:5,1,0,0")), () => SOURCE);
  assert.deepEqual(place[0], { file: "c.sol", function: "f", line: "one();", what: "line" });
  assert.deepEqual(found(but("DA:10,0", "BRDA:10,2,0,0")), ["if (x == 2) two(); line"]);
});

test("a line without a count was reached if the next statement of its block was, or its branch", () => {
  assert.deepEqual(found(but("DA:3,0")), []);
  assert.deepEqual(found(but("DA:8,0", "DA:10,0", "BRDA:10,2,0,0")), ["done = true; line", "if (x == 2) two(); line"]);
  assert.deepEqual(found(but("DA:10,0")), ["if (x == 2) two(); never passed by"]);
});

test("what an if guards is never taken", () => {
  assert.deepEqual(found(but("BRDA:4,0,0,0")), ["if (x == 0) revert Zero(); never taken"]);
  assert.deepEqual(found(but("BRDA:4,0,0,-")), ["if (x == 0) revert Zero(); never taken"]);
});

test("an if is passed by if it ran more often, or if what follows did", () => {
  assert.deepEqual(found(but("DA:5,2")), [], "done = true ran 8 times");
  assert.deepEqual(found(but("DA:5,2", "DA:8,2")), ["if (x == 1) { never passed by"]);
  assert.deepEqual(found(but("DA:4,1", "DA:5,1", "BRDA:5,1,0,0", "DA:6,1", "DA:8,1")).slice(0, 1), ["if (x == 1) { never taken"]);
  assert.deepEqual(found(but("DA:10,3")), ["if (x == 2) two(); never passed by"]);
});

test("what one run reaches is reached, whatever number it gives a branch", () => {
  const other = ALL.filter((line) => !line.startsWith("BRDA:4")).map((line) => line.replace(/^BRDA:(\d+),\d/, "BRDA:$1,7"));
  const dark = but("DA:6,0", "BRDA:5,1,0,0");
  assert.deepEqual(found(dark, other), []);
  assert.deepEqual(found(dark, dark), ["one(); line", "if (x == 1) { never taken"]);
});

test("a reason's line is looked for in its function", () => {
  assert.equal(linesWith(SOURCE, "f", "done = true;"), 1);
  assert.equal(linesWith(SOURCE, "g", "done = true;"), 0);
  assert.equal(linesWith(SOURCE, "f", "done = false;"), 0);
});
