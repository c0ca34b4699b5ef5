import RemoteProtocol

/// Feeds the pieces to a reader; the replies, and whether a violation ended them.
private func read(_ pieces: [ArraySlice<UInt8>]) -> (replies: [Reply], violation: Violation?) {
  var reader = ReplyReader()
  var replies: [Reply] = []
  for piece in pieces {
    reader.append(piece)
    do throws(Violation) {
      while let reply = try reader.next() {
        require(reply.text.count <= MessageLimit.reply, "a reply is too long")
        replies.append(reply)
      }
    } catch { return (replies, error) }
  }
  return (replies, nil)
}

/// A sender that gets these replies while records are on their way.
private func obey(_ replies: [Reply], _ input: inout Input) {
  var sender = Sender(
    Sender.Settings(
      servers: 1, window: 8, answerTime: .seconds(5), heartbeat: .seconds(9),
      retry: .seconds(1)...(.seconds(9)), tries: 3), seed: 1, now: .zero)
  var now = Duration.zero
  var sent = 0
  var stored = 0
  for reply in replies {
    now += .milliseconds(input.choice(below: 4000))
    var lost: Loss?
    while let step = sender.step(now: now) {
      switch step {
      case .connect: sender.connected(now: now)
      case .heartbeat: break
      case .giveUp(let loss): _ = sender.lost(loss, now: now)
      }
    }
    while sender.hasRoom, input.choice(below: 3) > 0 {
      _ = sender.sendRecord(now: now)
      sent += 1
    }
    let before = sender.outstanding
    do throws(Loss) {
      if try sender.take(reply, now: now) != nil {
        stored += 1
        require(sender.outstanding == before - 1, "a record is stored and still on its way")
      }
    } catch { lost = error }
    if let lost {
      require(sender.lost(lost, now: now).again == before, "records are lost with a connection")
      require(sender.outstanding == 0, "something is on its way over no connection")
    }
  }
  require(stored <= sent, "more is stored than was sent")
}

/// What a server says: the same however its bytes are cut, and never more than was asked.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzReplies(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = unsafe Input(data, count)
  let whole = read([input.bytes])
  let cut = read(input.pieces())
  require(whole.replies == cut.replies, "the cuts decide about the replies")
  require(whole.violation == cut.violation, "the cuts decide about the end")
  obey(whole.replies, &input)
  return 0
}
