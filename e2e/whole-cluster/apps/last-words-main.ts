/** HOST: an app that has much to say when it is told to end: requests for three seconds, and then many bytes at once. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const REQUESTS = 6;
const BYTES = 8 << 20;
const [host = ""] = process.argv.slice(1);

const alive = setInterval(() => {}, 60_000);
process.once("SIGTERM", async () => {
  console.log("told to end");
  for (let i = 0; i < REQUESTS; i++) {
    const url = `http://${host}:8001/last-words/${i}?afterMs=300`;
    const outcome = await fetch(url).then(
      ({ status }) => status,
      ({ message, cause }) => `${message}: ${cause}`,
    );
    console.log(`request ${i}: ${outcome}`);
    await sleep(200);
  }
  const socket = connect(9090, host);
  socket.end(Buffer.alloc(BYTES));
  await once(socket, "finish");
  // Its kernel has them; the one who is to read them has not.
  console.log(`wrote ${BYTES} bytes, ends at ${Date.now()}`);
  clearInterval(alive);
  process.exit();
});
console.log("ready");
