import Testing

@testable import audispatch_remote

@Suite("What is said of records that wait for a server") struct KeepingTests {
  private static let rate = InputRate.Rate(records: 100, bytes: 20_000)
  private static let onDisk = [
    "AUDISPATCH_QUEUE_BYTES": "1073741824", "AUDISPATCH_SPOOL": "/spool",
  ]
  private static let inMemory = [
    "AUDISPATCH_QUEUE_BYTES": "67108864", "AUDISPATCH_QUEUE_RECORDS": "10000",
  ]

  static let cases: [([String: String]?, Int, InputRate.Rate?, String)] = [
    (nil, 0, nil, ": 0 wait in memory, of 1000 at most"),
    (
      nil, 100, rate,
      ": 100 wait in memory, of 1000 at most; at the present rate that lasts for 9 s"
    ),
    (
      nil, 2000, rate,
      ": 2000 wait in memory, of 1000 at most; at the present rate that lasts for 0 s"
    ),
    (onDisk, 0, nil, ": the dispatcher keeps what comes in /spool, 1G at most"),
    (
      onDisk, 7, rate,
      ": 7 wait here, and the dispatcher keeps what comes in /spool, 1G at most; at the present rate "
        + "that is room for 53687 s"
    ),
    (
      inMemory, 0, rate,
      ": the dispatcher keeps what comes in memory, 10000 records or 64M at most; at the present rate "
        + "that is room for 100 s"
    ),
    (
      inMemory, 0, InputRate.Rate(records: 1, bytes: 1_048_576),
      ": the dispatcher keeps what comes in memory, 10000 records or 64M at most; at the present rate "
        + "that is room for 64 s"
    ),
    // A dispatcher that says nothing of it.
    ([:], 3, rate, ": 3 wait here, and the dispatcher keeps what comes"),
    (["AUDISPATCH_QUEUE_BYTES": "x"], 0, rate, ": the dispatcher keeps what comes"),
    (["AUDISPATCH_QUEUE_BYTES": "1"], 0, rate, ": the dispatcher keeps what comes"),
  ]

  @Test(arguments: cases.indices)
  func `is where, how much, and for how long`(_ index: Int) {
    let (environment, waiting, rate, text) = Self.cases[index]
    let keeping: Keeping =
      environment.map { variables in .dispatcher(Keeping.Room { variables[$0] }) }
      ?? .here(records: 1000)
    #expect(keeping.text(waiting: waiting, at: rate) == text)
  }
}
