// One line for each test, as scripts/test counts them.
import type { FullResult, Reporter, TestCase, TestError, TestResult } from "@playwright/test/reporter";

const LONGEST = 2_000; // characters of an error

export default class Lines implements Reporter {
  onTestEnd(test: TestCase, result: TestResult): void {
    const name = test.titlePath().slice(2).join(" › ");
    if (result.status === "skipped") return console.log(`skipped - ${name}`);
    const isOk = result.status === test.expectedStatus;
    console.log(`${isOk ? "ok" : "not ok"} - ${name} (${Math.round(result.duration / 100) / 10} s)`);
    if (!isOk) for (const { message, location } of result.errors) console.log(`    ${location?.file ?? ""}:${location?.line ?? ""} ${(message ?? "").slice(0, LONGEST)}`);
  }

  /** What a test tells of itself. */
  onStdOut(chunk: string | Buffer): void {
    process.stdout.write(chunk);
  }

  onError({ message }: TestError): void {
    console.log(`not ok - ${message ?? "the runner failed"}`);
  }

  onEnd({ status }: FullResult): void {
    if (status !== "passed") console.log(`ended as ${status}`);
  }
}
