/** Passes each connection on, as `kubectl port-forward` does: `FROM TO`, each a port of 127.0.0.1 or the path of a socket. */
import { connect, createServer, type Socket } from "node:net";

const [from = "", to = ""] = process.argv.slice(2);
const end = (text: string): { path: string } | { host: string; port: number } =>
  text.startsWith("/") ? { path: text } : { host: "127.0.0.1", port: Number(text) };

createServer((near: Socket) => {
  const far = connect(end(to));
  near.on("error", () => far.destroy()).on("close", () => far.destroy());
  far.on("error", () => near.destroy()).on("close", () => near.destroy());
  near.pipe(far).pipe(near);
}).listen(end(from), () => console.log("ready"));
