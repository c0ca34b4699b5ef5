import Linux

/// What a worker has given into its keeper's hands, for its successor.
struct Deposit: ~Copyable {
  /// The surviving memory.
  let memory: Descriptor
  /// What is locked in the runtime folder: it stays locked while another worker takes over.
  var lock: Descriptor?
  /// The configuration that is in force.
  var inForce: Descriptor?
  var children = KeptChildren()

  init() throws(SystemError) { memory = try Descriptor.anonymousFile("audispatch") }

  /// Gives all of it to a worker that is started.
  mutating func hand(over channel: borrowing MessageChannel, crashes: Int, wait: Duration?) {
    let greeting = WordToWorker.Greeting(
      crashes: crashes, wait: wait, children: children.processes)
    var descriptors = [memory.number]
    if let number = lock?.number { descriptors.append(number) }
    channel.send(WordToWorker.hello(greeting).text, descriptors)
    if let number = inForce?.number {
      channel.send(WordToWorker.inForce.text, [number])
    } else {
      channel.send(WordToWorker.inForce.text)
    }
    children.tellAgain()
  }
}
