/**
 * grpc.health.v1.Health/Check (github.com/grpc/grpc-proto, grpc/health/v1/health.proto): serving, but for the service
 * `down`. A message is five bytes of prefix and the protobuf; HealthCheckRequest.service and HealthCheckResponse.status are
 * both field 1.
 */
import { createServer, type ServerHttp2Stream } from "node:http2";

const SERVING = 1;
const NOT_SERVING = 2;

createServer()
  .on("stream", (stream: ServerHttp2Stream) => {
    const request: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => request.push(chunk));
    stream.once("end", () => {
      const service = Buffer.concat(request)
        .subarray(5 + 2)
        .toString();
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      const status = service === "down" ? NOT_SERVING : SERVING;
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, status]));
    });
  })
  .listen(8083);

process.once("SIGTERM", () => process.exit());
