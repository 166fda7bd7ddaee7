import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs one Elasticsearch node in this process until it is told to end.
 * Usage: LocalNode HOME [setting=value]... where HOME holds config/ and modules/.
 */
final class LocalNode {
  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(arguments[0]).toAbsolutePath();
    LogConfigurator.registerErrorListener();
    Environment environment = new Environment(settings(home, arguments), home.resolve("config"));
    LogConfigurator.configure(environment, true);

    Node node = new Node(environment, loader(home));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "close-node"));
    node.start();
    Thread.currentThread().join();
  }

  private static Settings settings(Path home, String[] arguments) {
    Settings.Builder settings = Settings.builder().put("path.home", home.toString());
    for (int at = 1; at < arguments.length; at++) {
      int equals = arguments[at].indexOf('=');
      if (equals < 1) throw new IllegalArgumentException("not setting=value: " + arguments[at]);
      settings.put(arguments[at].substring(0, equals), arguments[at].substring(equals + 1));
    }
    return settings.build();
  }

  private static PluginsLoader loader(Path home) throws IOException {
    var modules = PluginsLoader.loadModulesBundles(home.resolve("modules"), false);
    return PluginsLoader.createPluginsLoader(modules, Set.of(), Map.of(), false);
  }

  private static void close(Node node) {
    try {
      node.close();
    } catch (IOException failure) {
      failure.printStackTrace();
    }
  }
}
