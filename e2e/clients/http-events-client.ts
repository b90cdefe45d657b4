/** Listens to server-sent events: URL. Says for each how many ms it was under way, then "end". */
import { get } from "node:http";
import { createInterface } from "node:readline";

get(process.argv[2] ?? "", (response) => {
  createInterface(response)
    .on("line", (line) => {
      const [, sentMs] = /^data: (\d+)$/.exec(line) ?? [];
      if (sentMs) console.log(Date.now() - Number(sentMs));
    })
    .on("close", () => console.log("end"));
});
