import { after, before } from "node:test";
import { Box } from "../../cluster/whole/box.ts";
import { type Outside, openOutside } from "../../cluster/whole/outside.ts";
import { lacking } from "./given.ts";
import { lackingWorld } from "./world.ts";

/** The world outside has web servers while the tests of this file run (e2e/cluster/whole/outside.ts). */
export function outsideIsThere(): void {
  let outside: Outside | undefined;
  before(async () => {
    const box = Box.find();
    if (!lacking && !lackingWorld() && box) outside = await openOutside(box);
  });
  after(() => outside?.[Symbol.asyncDispose]());
}
