import Linux

/// What a worker has given into its keeper's hands, for its successor.
struct Deposit: ~Copyable {
  /// The surviving memory.
  let memory: Descriptor
  /// What is locked in the runtime folder: it stays locked while another worker takes over.
  private var lock: Descriptor?
  /// The front's place among those that wait for the folder, until it is the worker's.
  private var line: WaitingLine?
  /// The configuration that is in force.
  var inForce: Descriptor?
  var children = KeptChildren()

  init(_ line: consuming WaitingLine?) throws(SystemError) {
    memory = try Descriptor.anonymousFile("audispatch")
    self.line = line
  }

  /// The runtime folder is the worker's: nobody stands in line for it any more.
  mutating func keep(lock: consuming Descriptor) {
    self.lock = consume lock
    line = nil
  }

  /// Gives all of it to a worker that is started.
  mutating func hand(over channel: borrowing MessageChannel, crashes: Int, wait: Duration?) {
    // The worker before may have left it, and died before it said that the folder is its own.
    line?.join()
    let greeting = WordToWorker.Greeting(
      crashes: crashes, wait: wait, place: line?.place, children: children.processes)
    var descriptors = [memory.number]
    if let number = lock?.number ?? line?.number { descriptors.append(number) }
    channel.send(WordToWorker.hello(greeting).text, descriptors)
    if let number = inForce?.number {
      channel.send(WordToWorker.inForce.text, [number])
    } else {
      channel.send(WordToWorker.inForce.text)
    }
    children.tellAgain()
  }
}
