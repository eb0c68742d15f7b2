// Lets the official client run a conversation with one tool to its end and prints the last completion,
// or the name of the error that the client makes of it.
//
//   node run_tools.mjs http://127.0.0.1:8080/v1 QUESTION RESULT

import OpenAI, { OpenAIError } from "openai";

const [baseURL, question, result] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "unused", maxRetries: 0, timeout: 30_000 });
const asked = [];
const lookup = {
  name: "lookup",
  description: "Look a guideline up",
  parameters: { type: "object", properties: { text: { type: "string" } } },
  parse: JSON.parse,
  function: (given) => {
    asked.push(given);
    return result;
  },
};
const runner = client.chat.completions.runTools({
  model: "any",
  messages: [{ role: "user", content: question }],
  tools: [{ type: "function", function: lookup }],
});

function told(error) {
  if (!(error instanceof OpenAIError)) throw error;
  return { error: error.constructor.name };
}

const last = await runner.finalChatCompletion().then((reply) => ({ reply }), told);
console.log(JSON.stringify({ ...last, asked }));
