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

/** Requests, as they are asked for: only here can be seen what Node has no use for, such as `credentials`. */
const requests = []
const ours = globalThis.fetch
globalThis.fetch = (input, init = {}) => {
  requests.push({ method: init.method ?? 'GET', path: new URL(input).pathname, credentials: init.credentials })
  return ours(input, init)
}

const commands = {
  /**
   * A chat under a name; `outputs` are what its tools give back, by their names, `reconnect` what a request to resume
   * is prepared as. With `functions`, the transport is given functions of all else.
   */
  open({ name, outputs, rejoin, last, reconnect, functions, messages = [], id, api, ...given }) {
    const calls = []
    const finishes = []
    const prepareSendMessagesRequest = ({ id, messages, trigger, messageId, body }) => ({
      body: { ...body, id, message: messages.at(-1), trigger, messageId },
    })
    const transport = functions ? Object.fromEntries(Object.entries(given).map(([key, value]) => [key, () => value])) : given
    const chat = new Chat({
      id,
      messages,
      transport: new DefaultChatTransport({
        api,
        ...transport,
        ...(reconnect ? { prepareReconnectToStreamRequest: () => reconnect } : {}),
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
  /** What has been asked for so far, by all of them. */
  requests() {
    return requests
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
