public import AudispatchPlugin
public import BulkIndexing
public import EventDocument

/// What messages are, and how they are sent, whatever they are sent to.
public struct PublishingSettings: Equatable, Sendable {
  public var batch = BulkQueue<MessagePlace>.Limits(
    documents: 1000, bytes: 4 << 20, gathering: .milliseconds(100))
  public var patience: Patience
  /// Where what no server takes goes.
  public var refused: RefusedFile
  public var form = DocumentForm.ecs
  public var document = Self.standardDocument
  public var volume = VolumeRules()
  public var processes = ProcessSettings()

  public init(patience: Patience, refused: RefusedFile) {
    self.patience = patience
    self.refused = refused
  }

  /// What is to be known of processes.
  public var processRequest: ProcessRequest {
    ProcessRequest(processes, form, host: document.options.host, volume)
  }

  /// What servers take by default, less some room for what goes with the document.
  private static var standardDocument: DocumentSettings {
    var settings = DocumentSettings()
    settings.maximumSize = 1000 << 10
    return settings
  }
}
