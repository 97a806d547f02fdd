// Files of packages that were unpacked into a folder, which is the root of a system of its own.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const LINKS = 10; // in a row, at most

function walk(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    return entry.isDirectory() ? walk(name) : [name];
  });
}

const exists = (name) => fs.lstatSync(name, { throwIfNoEntry: false }) !== undefined;

/** Where a file really is. A link that begins at the root means the folder, never this machine's root; /lib may be /usr/lib. */
function inside(folder, file) {
  let at = file;
  for (let steps = 0; fs.lstatSync(at).isSymbolicLink(); steps += 1) {
    if (steps === LINKS) throw new Error(`${file}: more than ${LINKS} links in a row`);
    const to = fs.readlinkSync(at);
    const absolute = [path.join(folder, to), path.join(folder, "usr", to)];
    at = path.isAbsolute(to) ? (absolute.find(exists) ?? absolute[0]) : path.join(path.dirname(at), to);
    if (!exists(at)) throw new Error(`${file}: leads to ${to}, which is in no package`);
  }
  const root = `${fs.realpathSync(folder)}${path.sep}`;
  if (!`${fs.realpathSync(path.dirname(at))}${path.sep}`.startsWith(root)) throw new Error(`${file}: leads out of the packages`);
  return at;
}

module.exports = { walk, inside };
