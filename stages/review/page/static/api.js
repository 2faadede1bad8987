// Talks to the server that served this page. Every answer is JSON; what was refused says why in `error`.

export class Answer extends Error {
  constructor(status, body) {
    super(body.error ?? `The server answered ${status}.`);
    this.status = status; // 0: no server
    this.body = body;
  }
}

async function ask(method, path, body, options = {}) {
  let reply;
  try {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const text = body === undefined ? undefined : JSON.stringify(body);
    reply = await fetch(`/api/${path}`, { method, headers, body: text, ...options });
  } catch {
    throw new Answer(0, { error: "The server does not answer." });
  }
  const said = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Answer(reply.status, said);
  return said;
}

export const readPacket = () => ask("GET", "packet");
export const readSheet = (order) => ask("GET", `sheets/${order}`);
export const writeSheet = (order, sheet, options) => ask("PUT", `sheets/${order}`, sheet, options);
export const writePlace = (order) => ask("PUT", `at/${order}`, {});
export const finish = (packet, partial) => ask("POST", "finish", { packet, partial });
