/** Node's fetch, as it keeps connections: HOST. Says what it got, a line each. */
const url = `http://${process.argv[2]}`;

console.log((await (await fetch(`${url}/one`)).text()).trim());
console.log((await (await fetch(`${url}/two`, { method: "POST", body: "abc" })).text()).trim());

/** A body in pieces, of a length that is not said. */
const pieces = new ReadableStream({
  start(controller) {
    for (const piece of ["a", "bc", "def"]) controller.enqueue(new TextEncoder().encode(piece));
    controller.close();
  },
});
const init = { method: "POST", body: pieces, duplex: "half" } as const;
console.log((await (await fetch(`${url}/hash`, init)).text()).trim());

const stopped = new AbortController();
const endless = await fetch(`${url}/bytes?count=1000000000`, { signal: stopped.signal });
await endless.body?.getReader().read();
stopped.abort();
console.log((await (await fetch(`${url}/after`)).text()).trim());
