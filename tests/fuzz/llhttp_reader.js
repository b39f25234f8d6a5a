// Reads requests with llhttp, the parser of Node.js, and says where it reads something else than was expected.
// stdin: records of [u8 kind][u32 size][bytes][u32 size][expected reading], numbers little-endian. stdout: one JSON
// document when stdin ends. Kinds: 'c', a connection that ends with these requests; 'k', one that goes on; 'u', what goes
// up, which goes on too, and has no trailers; 'r', what was refused, of which is only counted whether llhttp takes it.
// In upper case: with something in it that llhttp may refuse.
'use strict';

const { HTTPParser, allMethods, methods } = process.binding('http_parser');
const names = allMethods || methods;
const { kOnHeaders, kOnHeadersComplete, kOnBody, kOnMessageComplete } = HTTPParser;
const LENIENT_NOTHING = 0;
const MOST_DIFFERENCES = 10;

let request; // the one that is being read

function begin() {
  return { method: '', target: '', version: '', upgrade: false, keeps: false, fields: [], body: [], trailers: 0, whole: false };
}

const parser = new HTTPParser();
let requests;

// Comes early where there are many fields, and again for trailers.
parser[kOnHeaders] = (fields, target) => {
  if (request.method) {
    request.trailers += fields.length / 2;
    return;
  }
  request.fields.push(...fields);
  request.target += target;
};
parser[kOnHeadersComplete] = (major, minor, fields, method, target, status, reason, upgrade, keeps) => {
  requests.push(request);
  if (fields) request.fields.push(...fields);
  if (target) request.target += target;
  request.method = names[method];
  request.version = `${major}.${minor}`;
  request.upgrade = upgrade;
  request.keeps = keeps;
  return 0;
};
parser[kOnBody] = (bytes, offset, size) => {
  request.body.push(Buffer.from(offset === undefined ? bytes : bytes.subarray(offset, offset + size)));
};
parser[kOnMessageComplete] = () => {
  request.whole = true;
  request = begin();
};

// What llhttp makes of one connection's bytes.
function read(bytes) {
  requests = [];
  request = begin();
  parser.initialize(HTTPParser.REQUEST, {}, 1 << 24, LENIENT_NOTHING);
  const result = parser.execute(bytes);
  if (result instanceof Error) return { requests, error: `${result.code}: ${result.reason || result.message}` };
  // Node.js does not tell of an error in a request that asks for another protocol: it only stops there.
  const last = requests.at(-1);
  const is_stopped = last?.upgrade && !last.whole && result < bytes.length;
  return { requests, error: is_stopped ? 'stopped in the middle of an upgrade' : '' };
}

const text = (piece) => `${piece.length}:${piece},`;

// One text for each reading, as tests/fuzz/gate_reading.cpp writes it.
function written(reading) {
  let all = reading.error ? `error ${reading.error}\n` : '';
  for (const one of reading.requests) {
    all += text(one.method) + text(one.target) + text(one.version) + (one.upgrade ? 'u' : '-');
    all += `${one.fields.length / 2};`;
    for (const piece of one.fields) all += text(piece);
    all += text(one.body.length === 1 ? one.body[0].latin1Slice() : Buffer.concat(one.body).latin1Slice());
    all += one.whole ? 'w\n' : 'p\n';
  }
  return all;
}

const counts = { records: 0, refused: 0, refused_and_taken: 0, taken_and_refused: 0, different: 0 };
const differences = [];

function judge(kind, bytes, expected) {
  counts.records += 1;
  const reading = read(bytes);
  if (kind === 'r') {
    counts.refused += 1;
    counts.refused_and_taken += !reading.error && reading.requests.length > 0 && reading.requests[0].whole ? 1 : 0;
    return;
  }
  let is = written(reading);
  const is_lenient = kind !== kind.toLowerCase();
  if (is_lenient && reading.error) {
    reading.error = '';
    reading.requests = reading.requests.filter((one) => one.whole);
    if (expected.startsWith(written(reading))) {
      counts.taken_and_refused += 1;
      return;
    }
  }
  // llhttp 6 takes a Content-Length among the trailers for that of the next request: nothing behind trailers is compared.
  const with_trailers = reading.requests.findIndex((one) => one.trailers > 0);
  if (is_lenient && with_trailers >= 0) {
    reading.error = '';
    reading.requests.length = with_trailers + 1;
    if (expected.startsWith(written(reading))) return;
  }
  if (kind.toLowerCase() !== 'c' && !reading.error && !reading.requests.at(-1)?.keeps) is += 'closes\n';
  if (kind === 'u' && reading.requests.some((one) => one.trailers > 0)) is += 'trailers\n';
  if (is === expected) return;
  counts.different += 1;
  if (differences.length < MOST_DIFFERENCES) {
    differences.push({ bytes: bytes.toString('base64'), is, expected });
  }
}

let kept = Buffer.alloc(0);

// Takes whole records off the front of `kept`.
function takeRecords() {
  let at = 0;
  while (kept.length - at >= 5) {
    const size = kept.readUInt32LE(at + 1);
    const second = at + 5 + size;
    if (kept.length < second + 4) break;
    const end = second + 4 + kept.readUInt32LE(second);
    if (kept.length < end) break;
    judge(String.fromCharCode(kept[at]), kept.subarray(at + 5, second), kept.latin1Slice(second + 4, end));
    at = end;
  }
  kept = kept.subarray(at);
}

process.stdin.on('data', (piece) => {
  kept = kept.length ? Buffer.concat([kept, piece]) : piece;
  takeRecords();
});
process.stdin.on('end', () => {
  const { node, llhttp } = process.versions;
  process.stdout.write(JSON.stringify({ node, llhttp, left: kept.length, ...counts, differences }));
});
