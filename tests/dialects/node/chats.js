/**
 * Chats of one version of the AI SDK, unmodified. Each line of input is a command in JSON, and gets a line of output:
 *
 * node chats.js <module of Chat> <module of the transport> [<module of rejoinFetch>]
 */

import { createInterface } from 'node:readline'

const [, , ofChat, ofTransport, ofFetch] = process.argv
const { Chat } = await import(ofChat)
const { DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls } = await import(ofTransport)
const { rejoinFetch } = ofFetch ? await import(ofFetch) : {}

const chats = new Map()
const called = new Map()
const finished = new Map()

const commands = {
  /** A chat under a name; `outputs` are what its tools give back, by their names. */
  open({ name, outputs, rejoin, last, messages = [], id, ...transport }) {
    const calls = []
    const finishes = []
    const prepareSendMessagesRequest = ({ id, messages, trigger, messageId, body }) => ({
      body: { ...body, id, message: messages.at(-1), trigger, messageId },
    })
    const chat = new Chat({
      id,
      messages,
      transport: new DefaultChatTransport({
        ...transport,
        ...(rejoin ? { fetch: rejoinFetch } : {}),
        ...(last ? { prepareSendMessagesRequest } : {}),
      }),
      onError() {},
      onFinish({ isAbort, isError, isDisconnect, finishReason }) {
        finishes.push({ isAbort, isError, isDisconnect, finishReason })
      },
      onToolCall({ toolCall }) {
        calls.push(toolCall)
        const given = outputs?.[toolCall.toolName]
        // Not waited for: a chat that waits for itself stands still.
        if (given) void (chat.addToolOutput ?? chat.addToolResult)({ ...given, tool: toolCall.toolName, toolCallId: toolCall.toolCallId })
      },
      ...(outputs ? { sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls } : {}),
    })
    chats.set(name, chat)
    called.set(name, calls)
    finished.set(name, finishes)
  },
  /** Call a method of it, and wait until it is done. */
  async call({ name, method, with: given = [] }) {
    await chats.get(name)[method](...given)
  },
  /** The same, without waiting. */
  begin({ name, method, with: given = [] }) {
    void chats.get(name)[method](...given)
  },
  /** What it shows. */
  state({ name }) {
    const { status, error, messages } = chats.get(name)
    return { status, error: error?.message, messages, calls: called.get(name), finishes: finished.get(name) }
  },
}

process.on('unhandledRejection', (reason) => {
  console.error(reason)
})

for await (const line of createInterface({ input: process.stdin })) {
  const { number, do: what, ...given } = JSON.parse(line)
  Promise.resolve()
    .then(() => commands[what](given))
    .then(
      (value) => ({ number, value }),
      (error) => ({ number, error: String(error?.stack ?? error) }),
    )
    .then((told) => console.log(JSON.stringify(told)))
}
process.exit()
