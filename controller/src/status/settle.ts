/** Until all of them have ended; then the first trouble is thrown, if there was one. */
export async function settle(works: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(works);
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
}
