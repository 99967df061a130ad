// Serves one fixture file on a free port, says its URL, and ends when its standard input does: with its parent.
import { LLMock } from "@copilotkit/aimock";

const mock = new LLMock({ port: 0 });
mock.loadFixtureFile(process.argv[2]);
await mock.start();
console.log(mock.url);
process.stdin.on("end", () => process.exit()).resume();
