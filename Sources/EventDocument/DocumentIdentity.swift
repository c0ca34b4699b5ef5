public import AudispatchPlugin

extension DocumentOptions {
  /// What an event is called for ever, as JSON has it, without quotes: `event.id` of the form `ecs`.
  public func identity(of event: AuditEvent) -> [UInt8] {
    var out = DocumentBytes(.escaped)
    EventIdentity.append(event, node: node(of: event)[...], to: &out)
    return out.bytes
  }

  /// The same as it is, and not as JSON has it.
  public func identityText(of event: AuditEvent) -> [UInt8] {
    var out = DocumentBytes(.escaped, notesValues: true)
    EventIdentity.append(event, node: node(of: event)[...], to: &out)
    return out.bytes
  }
}
