import RemoteProtocol
import TestSupport
import Testing

/// Whatever a server does, each record is stored by a server that says so, in order, and what comes
/// twice was on its way when a connection was lost.
@Suite("A sender with a server that fails at random")
struct RandomServerTests {
  @Test(arguments: UInt64(1)...200)
  func `loses nothing, and repeats only what was on its way`(seed: UInt64) throws {
    var chance = Seeded(seed)
    func random(_ bound: Int) -> Int { chance.number(below: bound) }
    var it = Clocked(window: 8, heartbeat: .seconds(10), seed: seed)
    // Records are numbers from 0 on; `done` are stored by what the sender knows.
    var done = 0
    var stored: [Int] = []
    var again = 0
    // On the wire: the record, -1 for a heartbeat, and its message's number.
    var wire: [(record: Int, number: UInt32)] = []
    var rounds = 0
    while done < 300 {
      rounds += 1
      try #require(rounds < 20_000, "it does not go on; seed \(seed)")
      var loss: Loss?
      if it.sender.hasRoom, random(3) > 0 {
        wire.append((done + it.sender.outstanding, it.sender.sendRecord(now: it.now)))
      } else if !wire.isEmpty, random(4) > 0 {
        let (record, number) = wire.removeFirst()
        let fate = random(40)
        if fate == 0 {
          loss = .refused(.diskFull, text: [])
          _ = try? it.answer([number], .diskFull)
        } else {
          if record >= 0 { stored.append(record) }
          if fate == 1 {
            loss = .closed  // Stored, and nobody says so.
          } else {
            done += try it.answer([number], fate == 2 ? .diskLow : .acknowledgement)
          }
        }
      } else {
        switch it.step() {
        case .connect:
          if random(3) == 0 { loss = .unreachable("no") } else { it.sender.connected(now: it.now) }
        case .heartbeat(let number), .open(let number): wire.append((-1, number))
        case .giveUp(let why): loss = why
        case nil: if random(2) == 0 { it.pass(.milliseconds(random(3000))) }
        }
      }
      if let loss {
        // What is on its way still arrives, or does not; a disk that is full stays so.
        let arriving = if case .refused = loss { 0 } else { random(wire.count + 1) }
        for (record, _) in wire.prefix(arriving) where record >= 0 {
          stored.append(record)
        }
        again += it.lose(loss).again
        wire = []
      }
    }
    #expect(Set(stored).isSuperset(of: 0..<300))
    var highest = -1
    var repeats = 0
    for record in stored {
      if record <= highest { repeats += 1 } else { #expect(record == highest + 1) }
      highest = max(highest, record)
    }
    #expect(repeats <= again)
  }
}
