/**
 * What a refused TLS client is told: a fatal alert, `access_denied` (RFC 8446 §6). Its record is of version TLS 1.0: that
 * is how a peer answers before a version is agreed, every client since reads it, and newer ones ignore the field (§5.1).
 */
export const ACCESS_DENIED: Buffer = Buffer.from([21, 3, 1, 0, 2, 2, 49]);
