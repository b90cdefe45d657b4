// The proxy that Node gives away: read the ClientHello's SNI, then pipe(). `node-pipe.cjs PORT DESTINATION`.
const { connect, createServer } = require("node:net");

const [port, host] = process.argv.slice(2);

createServer({ noDelay: true }, (client) => {
  let hello = Buffer.alloc(0);
  const drop = () => client.destroy();
  client.on("error", drop);
  client.on("data", function more(bytes) {
    hello = Buffer.concat([hello, bytes]);
    if (serverName(hello) === undefined) return;
    client.off("data", more).pause();
    const server = connect({ host, port: 7000, noDelay: true });
    server.on("error", drop);
    client.on("close", () => server.destroy());
    server.write(hello);
    client.pipe(server).pipe(client);
  });
}).listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });

// RFC 8446, 4.1.2, in one record. Undefined: not complete yet; empty: none.
function serverName(hello) {
  if (hello.length < 5 || hello.length < 5 + hello.readUInt16BE(3)) return undefined;
  if (hello[0] !== 22 || hello[5] !== 1) return "";
  let at = 43;
  at += 1 + hello[at]; // session
  at += 2 + hello.readUInt16BE(at); // cipher suites
  at += 1 + hello[at]; // compression methods
  const end = at + 2 + hello.readUInt16BE(at);
  for (at += 2; at < end; at += 4 + hello.readUInt16BE(at + 2))
    if (hello.readUInt16BE(at) === 0)
      return hello.toString("latin1", at + 9, at + 9 + hello.readUInt16BE(at + 7));
  return "";
}
