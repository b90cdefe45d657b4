/** Answers GET /NUMBER on port 8080, and tells at /heard the numbers that have arrived. */
import { createServer } from "node:http";

const heard: number[] = [];
createServer((request, response) => {
  const path = request.url?.slice(1) ?? "";
  if (path === "heard") return void response.end(JSON.stringify(heard));
  heard.push(Number(path));
  response.end("heard");
}).listen(8080);
