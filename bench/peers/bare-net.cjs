// The least that a Node process which listens can be.
require("node:net")
  .createServer()
  .listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => console.error("listening"));
