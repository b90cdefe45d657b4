/**
 * Node's own WebSocket: HOST HOW. Says what it hears, a line each, and how it ended. HOW is what it does: `echo`, says
 * this and that and closes; `greeted`, waits for the server to speak; `closed`, asks to be closed; `reset`, to be reset.
 */
const [host = "", how = ""] = process.argv.slice(2);
const socket = new WebSocket(`ws://${host}/${how === "greeted" ? "greeting" : "echo"}`);
socket.binaryType = "arraybuffer";
/** More than fits into one segment, one read or one frame's short lengths. */
const LARGE = 3_000_000;
const said = how === "echo" ? ["a", "b".repeat(70_000), new Uint8Array(LARGE).fill(7), ""] : [];
let heard = 0;

socket.addEventListener("open", () => {
  for (const message of said) socket.send(message);
  if (how === "closed") socket.send("close");
  if (how === "reset") socket.send("reset");
});
socket.addEventListener("message", ({ data }) => {
  if (typeof data === "string") console.log(`text ${data.length} ${data.slice(0, 10)}`);
  else console.log(`binary ${data.byteLength} ${new Uint8Array(data).every((byte) => byte === 7)}`);
  heard += 1;
  if (heard === Math.max(1, said.length)) socket.close(4_000, "enough");
});
socket.addEventListener("close", ({ code, wasClean }) => console.log(`close ${code} ${wasClean}`));
