/** A chat that shows each part of its messages, and has a tool that only its user can answer for. */

import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls } from "ai";
import { loadMessages, rejoinFetch } from "/rejoin-chat.js";

const id = new URLSearchParams(location.search).get("chat");
const earlier = await loadMessages(id);
const tools = [{ name: "locate", parameters: { type: "object" } }];
const transport = new DefaultChatTransport({ fetch: rejoinFetch, body: { tools } });

export function Chat() {
  const { messages, sendMessage, addToolOutput, error } = useChat({
    id,
    messages: earlier,
    transport,
    resume: true,
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
  });
  const say = ({ toolCallId }) => addToolOutput({ tool: "locate", toolCallId, output: `Bern ${id}` });
  return (
    <form action={(form) => void sendMessage({ text: form.get("question") })}>
      {messages.map((message) => (
        <article key={message.id}>{message.parts.map((part, at) => <Part key={at} part={part} say={say} />)}</article>
      ))}
      {error && <strong role="alert">{error.message}</strong>}
      <input name="question" aria-label="Question" />
    </form>
  );
}

function Part({ part, say }) {
  if (part.type === "text" || part.type === "reasoning") return <p>{part.type}: {part.text}</p>;
  if (part.type !== "tool-locate") return null;
  if (part.state === "output-available") return <p>located: {part.output}</p>;
  return <p>where? <button type="button" onClick={() => say(part)}>{JSON.stringify(part.input)}</button></p>;
}
