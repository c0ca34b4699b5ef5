import AuditRecord
import Linux

/// What the status says of every source, and of peers.
extension Dispatcher {
  /// `sources`: this host's own, if there is one, then those that other hosts connect to.
  func sourcesStatus(_ json: inout JSONText) {
    json.array("sources") { json in
      if intake.origin != .peers { json.object { localStatus(&$0) } }
      for (index, place) in (remote?.places ?? []).enumerated() {
        json.object { placeStatus(place, connected: remote?.peers.connected(to: index) ?? 0, &$0) }
      }
    }
    if let remote { peersStatus(remote, &json) }
  }

  private func localStatus(_ json: inout JSONText) {
    let kernel = intake.readers?.total
    let events = remote?.places.reduce(0) { $0 + $1.events } ?? 0
    json.field("name", intake.description)
    json.field("kind", source.kind)
    json.field("records", source.ownRecords)
    json.field("events", self.events - min(self.events, events))
    json.field("bytes", source.ownBytes)
    json.field("malformed", source.ownMalformed + (kernel?.malformed ?? 0))
    json.field("duplicates", 0)
    json.field("refused", 0)
    json.field("peers", 0)
  }

  private func placeStatus(
    _ place: RemoteSources.Place, connected: Int, _ json: inout JSONText
  ) {
    json.field("name", place.name)
    json.field("kind", place.kind)
    json.field("records", place.records)
    json.field("events", place.events)
    json.field("bytes", place.bytes)
    json.field("malformed", place.malformed)
    json.field("duplicates", place.duplicates)
    json.field("refused", place.refused)
    json.field("turned_away", place.turnedAway)
    json.field("peers", connected)
  }

  private func peersStatus(_ remote: RemoteSources, _ json: inout JSONText) {
    json.array("peers") { json in
      for figures in remote.peers.figures {
        json.object { json in
          json.field("address", figures.address)
          if !figures.identity.isEmpty { json.field("identity", figures.identity) }
          json.field("source", remote.places[figures.source].name)
          peerFields(figures, &json)
        }
      }
      let others = remote.peers.others
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
    json.field("behind", figures.records - min(figures.records, figures.acknowledged))
    json.field("duplicates", figures.duplicates)
    json.field("refused", figures.refused)
    if let error = figures.lastError { json.field("last_error", error) }
  }
}
