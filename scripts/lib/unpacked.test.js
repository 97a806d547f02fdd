"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");
const { inside } = require("./unpacked.js");

test("links mean the unpacked folder, and none leads out of it", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "unpacked-"));
  try {
    const at = (name) => path.join(folder, name);
    for (const name of ["lib64", "bin", "etc", "usr/lib"]) fs.mkdirSync(at(name), { recursive: true });
    fs.writeFileSync(at("bin/sh"), "of the package"); // this machine has one too
    fs.writeFileSync(at("usr/lib/loader"), "merged");
    const link = (name, to) => fs.symlinkSync(to, at(name));
    link("lib64/absolute", "/bin/sh");
    link("lib64/relative", "../bin/sh");
    link("lib64/twice", "absolute");
    link("lib64/merged", "/lib/loader");
    link("lib64/none", "/etc/passwd");
    link("lib64/out", path.relative(at("lib64"), __filename));
    link("lib64/circle", "circle");
    const read = (name) => fs.readFileSync(inside(folder, at(`lib64/${name}`)), "utf8");
    for (const name of ["absolute", "relative", "twice"]) assert.equal(read(name), "of the package", name);
    assert.equal(read("merged"), "merged");
    assert.throws(() => read("none"), /in no package/);
    assert.throws(() => read("out"), /out of the packages/);
    assert.throws(() => read("circle"), /links in a row/);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
