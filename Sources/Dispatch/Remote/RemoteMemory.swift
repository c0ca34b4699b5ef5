import Linux
import RemoteProtocol

/// What a successor is to know of other hosts, in the memory that survives this process.
struct RemoteMemory {
  /// What was stored of each sender last.
  let senders: SenderLedger
  /// What was counted of peers.
  let figures: FigureLedger

  init(in survivor: Survivor) throws(SystemError) {
    let memory = unsafe try survivor.extend(by: SenderLedger.byteCount + FigureLedger.byteCount)
    senders = unsafe SenderLedger(memory)
    figures = unsafe FigureLedger(memory + SenderLedger.byteCount)
  }
}
