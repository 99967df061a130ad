// OpenAI's Responses by the official client for Node: prints what it saw, as JSON.
import OpenAI from "openai";

const [base, prompt, taken_over] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "none", maxRetries: 0 });
const model = "gpt-5";

async function listen(stream, most = Infinity) {
  const events = [];
  for await (const event of stream) {
    events.push(event);
    if (events.length >= most) break; // which hangs up
  }
  return events;
}

const left = await listen(await client.responses.create({ model, input: prompt, stream: true, background: true }), 6);
const id = left[0].response.id;
const rest = await listen(
  await client.responses.retrieve(id, { stream: true, starting_after: left.at(-1).sequence_number }),
);
const whole = await listen(await client.responses.retrieve(id, { stream: true }));

const metadata = { order: "7 wörld" };
const kept = await client.responses.create({ model, input: prompt, metadata, background: true });
const items = [];
for await (const item of client.responses.inputItems.list(kept.id, { order: "asc", limit: 1 })) items.push(item);

const helper = client.responses.stream({ model, input: prompt, previous_response_id: id });
const deltas = [];
helper.on("response.output_text.delta", (event) => deltas.push(event.delta));
const final = await helper.finalResponse();
const replayed = await client.responses.stream({ response_id: taken_over }).finalResponse();

const background = await client.responses.create({ model, input: `${prompt} for ever`, background: true });
const watched = client.responses.retrieve(background.id, { stream: true }).then((stream) => listen(stream));
const cancelled = await client.responses.cancel(background.id);
const last = (await watched).at(-1);

await client.responses.delete(background.id);
const gone = await client.responses.retrieve(background.id).catch((error) => [error.status, error.code]);

console.log(
  JSON.stringify({
    resumed: JSON.stringify([...left, ...rest]) === JSON.stringify(whole),
    numbers: whole.map((event) => event.sequence_number),
    text: final.output_text,
    deltas: deltas.join(""),
    previous: final.previous_response_id === id,
    replayed: replayed.output_text,
    kept: (await client.responses.retrieve(kept.id, { include: ["reasoning.encrypted_content"] })).metadata,
    items: items.map((item) => [item.role, item.content[0].text]),
    cancelled: [cancelled.status, last.type, last.response.status],
    gone,
  }),
);
