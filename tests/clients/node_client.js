// Node's clients (undici, ws, fetch, http) doing what the first argument says. Silent where all is well; else it throws.
"use strict";
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const stream = require("node:stream");
const undici = require("undici");
const WebSocket = require("ws");

const told = JSON.parse(fs.readFileSync(0, "utf8"));
const ca = fs.readFileSync(told.ca);
const bearer = { authorization: `Bearer ${told.key}` };

let made = 0;
const pool = new undici.Pool(told.base, { connect: { ca }, connections: 1, headersTimeout: 50000, bodyTimeout: 50000 });
pool.on("connect", () => made++);

async function ask(path, options = {}) {
  const answer = await pool.request({ path, method: "GET", headers: bearer, ...options });
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) };
}

const is_one_connection = () => assert.equal(made, 1, "connections made");
const code_of = (answer) => JSON.parse(answer.body).code;

function check_upload(body) {
  const { size, sha256, key } = JSON.parse(body);
  assert.deepEqual({ size, sha256, key }, { size: told.size, sha256: told.sha256, key: told.key_id });
}

// By Node's own http, which knows how to wait for the 100; undici does not. `sent` says whether the body was asked for.
function upload_when_told_to(path) {
  return new Promise((resolve, reject) => {
    let sent = false;
    const asking = (told.base.startsWith("https") ? https : http).request(
      told.base + path, { method: "POST", ca, headers: { ...bearer, expect: "100-continue", "content-length": told.size } });
    asking.on("continue", () => {
      sent = true;
      fs.createReadStream(told.file).pipe(asking);
    });
    asking.on("response", async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      resolve({ status: answer.statusCode, body, sent });
      asking.destroy();
    });
    asking.on("error", (failure) => reject(failure));
    asking.flushHeaders();
  });
}

const cases = {
  async keeps_its_connection() {
    for (let i = 0; i < 100; ++i) {
      const answer = await ask("/v1/who");
      assert.equal(answer.status, 200);
      assert.equal(JSON.parse(answer.body).key, told.key_id);
    }
    is_one_connection();
  },
  async uploads_100_mb() {
    const file = () => fs.createReadStream(told.file, { highWaterMark: 1 << 20 });
    const headers = { ...bearer, "content-length": String(told.size) };
    check_upload((await ask("/v1/upload", { method: "POST", headers, body: file() })).body);
    check_upload((await ask("/v1/upload", { method: "POST", body: file() })).body);
    is_one_connection();
  },
  async downloads_100_mb() {
    for (const kind of ["", "&chunked=1"]) {
      const hashed = crypto.createHash("sha256");
      const answer = await pool.request({ path: `/v1/download?size=${told.size}${kind}`, method: "GET", headers: bearer });
      await stream.promises.pipeline(answer.body, hashed);
      assert.equal(hashed.digest("hex"), told.sha256);
    }
    is_one_connection();
  },
  // By fetch, as the SDKs of services that stream read them.
  async gets_events_one_by_one() {
    const streaming = new undici.Agent({ connect: { ca } });
    const answer = await undici.fetch(told.base + told.stream, { headers: bearer, dispatcher: streaming });
    let text = "";
    for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
      text += piece;
      // One by one: the next is not sent before this has been said.
      const arrived = text.split("\n\n").length - 1;
      if (text.endsWith("\n\n")) assert.equal((await ask(told.arrivals[arrived - 1])).status, 200);
    }
    assert.equal(text, told.expected);
    await streaming.close();
  },
  async has_messages_echoed() {
    const socket = new WebSocket(told.base.replace("http", "ws") + "/v1/ws", { ca, headers: bearer });
    let back = 0;
    const message = (number) => `message ${number} ` + "x".repeat(number % 200);
    const closed = new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("unexpected-response", (_, answer) => reject(new Error(`${answer.statusCode} instead of 101`)));
      socket.on("message", (data, is_binary) => {
        try {
          assert.equal(is_binary, false);
          assert.equal(String(data), message(back));
          if (++back === told.messages) socket.close(1000);
        } catch (failure) {
          reject(failure);
        }
      });
      socket.on("close", resolve);
    });
    socket.on("open", () => {
      for (let number = 0; number < told.messages; ++number) socket.send(message(number));
    });
    assert.equal(await closed, 1000);
    assert.equal(back, told.messages);
  },
  async gets_gzip_untouched() {
    const answer = await ask("/v1/gzip", { headers: { ...bearer, "accept-encoding": "gzip" } });
    assert.equal(answer.headers["content-encoding"], "gzip");
    assert.equal(crypto.createHash("sha256").update(answer.body).digest("hex"), told.gzipped);
    const fetched = await undici.fetch(told.base + "/v1/gzip", { headers: bearer, dispatcher: pool });
    assert.equal(crypto.createHash("sha256").update(await fetched.text()).digest("hex"), told.text);
  },
  async asks_for_heads() {
    const answer = await ask("/v1/download?size=123456", { method: "HEAD" });
    assert.deepEqual([answer.status, answer.headers["content-length"], answer.body.length], [200, "123456", 0]);
    assert.equal((await ask("/v1/who")).status, 200);
    // undici ends the connection behind a HEAD by itself.
    const agent = new (told.base.startsWith("https") ? https : http).Agent({ keepAlive: true, maxSockets: 1, ca });
    for (const method of ["HEAD", "GET"]) {
      const reused = await new Promise((resolve, reject) => {
        const asking = agent.options && (told.base.startsWith("https") ? https : http).request(
          told.base + "/v1/download?size=1000", { method, agent, headers: bearer }, (answer) => {
            answer.resume().on("end", () => resolve(asking.reusedSocket));
          });
        asking.on("error", reject).end();
      });
      assert.equal(reused, method === "GET");
    }
    agent.destroy();
  },
  async waits_for_100_continue() {
    const answer = await upload_when_told_to("/v1/upload");
    assert.equal(answer.sent, true);
    check_upload(answer.body);
    const denied = await upload_when_told_to("/admin/upload");
    assert.deepEqual([denied.status, code_of(denied), denied.sent], [403, "insufficient_scope", false]);
  },
  async is_denied_and_goes_on() {
    const answers = [await ask("/v1/who"), await ask("/admin/who"), await ask("/v1/who", { headers: {} }), await ask("/v1/who")];
    assert.deepEqual(answers.map((each) => each.status), [200, 403, 401, 200]);
    assert.deepEqual([code_of(answers[1]), code_of(answers[2])], ["insufficient_scope", "missing_credential"]);
    is_one_connection();
    assert.equal(code_of(await ask("/admin/upload", { method: "POST", body: "x".repeat(1000) })), "insufficient_scope");
    assert.equal((await ask("/v1/who")).status, 200);
  },
  // Whoever started this revokes the key when the first answer is printed.
  async is_refused_once_revoked() {
    assert.equal((await ask("/v1/who")).status, 200);
    console.log("ready");
    let answer;
    do answer = await ask("/v1/who");
    while (answer.status === 200);
    assert.deepEqual([answer.status, code_of(answer)], [401, "revoked_key"]);
    is_one_connection();
  },
};

cases[process.argv[2]]()
  .then(() => pool.destroy())
  .catch((failure) => {
    console.error(failure);
    process.exit(1);
  });
