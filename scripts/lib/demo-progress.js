// How far a demo is: one line that is painted over on a terminal, and plain lines, not many, elsewhere.
"use strict";

const QUIET_MS = 5000; // between plain lines that say nothing new but a number

class Progress {
  constructor(out = process.stderr) {
    Object.assign(this, { out, live: out.isTTY === true, shown: "", at: 0, startedAt: Date.now() });
  }

  seconds() {
    return Math.round((Date.now() - this.startedAt) / 1000);
  }

  stamp() {
    const seconds = this.seconds();
    return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  clear() {
    if (this.live && this.shown !== "") this.out.write("\r\x1b[K");
  }

  /** Something that happened once: a line that stays. */
  say(text) {
    this.clear();
    this.out.write(`${this.stamp()}  ${text}\n`);
    if (this.live && this.shown !== "") this.out.write(this.shown);
  }

  /** Where things stand. */
  show(text) {
    if (this.live) {
      const line = `${this.stamp()}  ${text}`.slice(0, (this.out.columns ?? 80) - 1);
      this.out.write(`\r\x1b[K${line}`);
      this.shown = line;
    } else if (text !== this.shown && Date.now() - this.at >= QUIET_MS) {
      this.out.write(`${this.stamp()}  ${text}\n`);
      this.shown = text;
      this.at = Date.now();
    }
  }

  /** The line is painted over no more. */
  end() {
    this.clear();
    this.shown = "";
  }
}

module.exports = { Progress };
