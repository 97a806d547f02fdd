// A receiver of webhooks, as an integrator would write one: it checks each with the npm library of Standard Webhooks, and notes
// what it took, one line of JSON each, before it answers. node receiver.js <secret> <journal> <orders> [<folder>], by TLS with the folder's
// cert.pem and key.pem
//
// The file <orders>, if it is there, says what goes wrong: {"refuse": [sequence, …], "every": n, "redirect": true, "mute": true}.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const path = require("node:path");
const { Webhook } = require("standardwebhooks");

const [secret, journal, orders, certificates] = process.argv.slice(2);
const webhook = new Webhook(secret);
let count = 0;

function ordered() {
  try {
    return JSON.parse(fs.readFileSync(orders, "utf8"));
  } catch {
    return {};
  }
}

function note(line) {
  fs.appendFileSync(journal, `${JSON.stringify(line)}\n`);
}

function take(request, body) {
  const order = ordered();
  count += 1;
  if (order.mute) return null;
  if (order.redirect) return [302, { location: "/elsewhere" }];
  let event;
  try {
    event = webhook.verify(body, request.headers);
  } catch (error) {
    note({ bad: String(error) });
    return [400, {}];
  }
  const sequence = Number(event.sequence ?? 0);
  if (order.every && count % order.every === 0) return [503, {}];
  if (order.refuse?.includes(sequence)) {
    note({ refused: sequence });
    return [500, {}];
  }
  const id = request.headers["webhook-id"];
  note({ id, sequence, type: event.type, refs: event.data.refs ?? [] });
  return [204, {}];
}

function answer(request, response) {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const said = take(request, Buffer.concat(parts).toString("utf8"));
    if (said === null) return; // it never answers
    response.writeHead(...said);
    response.end();
  });
}

const read = (name) => fs.readFileSync(path.join(certificates, name));
const server = certificates ? https.createServer({ cert: read("cert.pem"), key: read("key.pem") }, answer) : http.createServer(answer);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
