/// Which audispatch this is: the same for the daemon, the tool and the plugins.
public enum Release {
  public static let version = "0.1.0"
}
