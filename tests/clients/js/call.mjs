// Makes one call with the official client and prints, as one JSON object, what its application would see:
// `events` of a stream, the `reply` that a call or the client's own stream reader ends with, or `error`.
//
//   node call.mjs http://127.0.0.1:8080/v1 KEY chat.completions.create '{"model": …, "messages": …}'

import OpenAI, { APIError } from "openai";

const [baseURL, apiKey, path, body] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 30_000 });
const names = path.split(".");
const method = names.pop();
const resource = names.reduce((found, name) => found[name], client);

async function called() {
  const made = resource[method](JSON.parse(body));
  const reply = method === "stream" ? made : await made;
  if (!(Symbol.asyncIterator in reply)) return { reply };
  const events = [];
  for await (const event of reply) events.push(event);
  const whole = await (reply.finalChatCompletion?.() ?? reply.finalResponse?.());
  return { events, reply: whole };
}

function told(error) {
  if (!(error instanceof APIError)) throw error;
  const { status, message, code, param, type } = error;
  return { error: { name: error.constructor.name, status, message, code, param, type } };
}

console.log(JSON.stringify(await called().catch(told)));
