import AuditRecord
import Configuration
import Linux

/// What the status says of every source, and of peers.
struct SourcesStatus: Owner {
  let base: Base
  private let supply: SourceSupply
  private let remote: RemoteInput?
  private let events: UInt64

  /// - Parameter events: of all sources.
  init(_ base: Base, _ supply: SourceSupply, _ remote: RemoteInput?, events: UInt64) {
    self.base = base
    self.supply = supply
    self.remote = remote
    self.events = events
  }

  /// `sources`: this host's own, if there is one, then those that other hosts connect to; and `peers`.
  func write(_ json: inout JSONText) {
    let places = remote?.receiver.places ?? []
    json.array("sources") { json in
      if supply.origin != .peers { json.object { localStatus(places, &$0) } }
      for (index, place) in places.enumerated() {
        json.object { placeStatus(place, remote?.peers.connected(to: index) ?? 0, &$0) }
      }
    }
    if let remote {
      peersStatus(remote.peers, places, &json)
      json.object("senders") { json in
        json.field("remembered", remote.senders.remembered)
        json.field("forgotten", remote.senders.forgotten)
      }
    }
  }

  private func localStatus(_ places: [RemotePlace], _ json: inout JSONText) {
    let kernel = supply.readers?.total
    let foreign = places.reduce(0) { $0 + $1.figures.events }
    json.field("name", supply.description)
    json.field("kind", source.kind)
    json.field("records", source.figures.ownRecords)
    json.field("events", events - min(events, foreign))
    json.field("bytes", source.figures.ownBytes)
    json.field("malformed", source.figures.ownMalformed + (kernel?.malformed ?? 0))
    json.field("duplicates", 0)
    json.field("refused", 0)
    json.field("peers", 0)
  }

  private func placeStatus(_ place: RemotePlace, _ connected: Int, _ json: inout JSONText) {
    let figures = place.figures
    json.field("name", place.name)
    json.field("kind", place.kind)
    json.field("records", figures.records)
    json.field("events", figures.events)
    json.field("bytes", figures.bytes)
    json.field("malformed", figures.malformed)
    json.field("duplicates", figures.duplicates)
    json.field("refused", figures.refused)
    json.field("turned_away", figures.turnedAway)
    json.field("peers", connected)
    if let obstacle = remote?.obstacle {
      json.field("held", obstacle.text(spool: settings.daemon.spoolDirectory))
    }
  }

  private func peersStatus(_ peers: Peers, _ places: [RemotePlace], _ json: inout JSONText) {
    json.array("peers") { json in
      for figures in peers.figures {
        json.object { json in
          json.field("address", figures.address)
          if !figures.identity.isEmpty { json.field("identity", figures.identity) }
          json.field("source", places[figures.source].name)
          peerFields(figures, &json)
        }
      }
      let others = peers.others
      guard others.records + others.duplicates > 0 || others.connections > 0 else { return }
      json.object { json in
        json.field("address", "others")
        peerFields(others, &json)
      }
    }
  }

  private func peerFields(_ figures: PeerTable.Figures, _ json: inout JSONText) {
    json.field("connections", figures.connections)
    json.field("connected_since", figures.connections > 0 ? figures.connectedSince : 0)
    json.field("records", figures.records)
    json.field("acknowledged", figures.acknowledged)
    json.field("behind", figures.unanswered)
    json.field("duplicates", figures.duplicates)
    json.field("refused", figures.refused)
    if let error = figures.lastError { json.field("last_error", error) }
  }
}
