package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.core.file.folder.FolderWatch;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A configuration whose folders are watched: a policy or service file that is added, changed or
 * removed in one of them leads to a reload, as with dbus-daemon(1). Not watched are a file that the
 * configuration names by itself, and the target of a symbolic link.
 *
 * <p>The loaded configuration is never older than the watch: when the watch begins or its folders
 * change, the files are read again. One reload runs at a time, and changes meanwhile lead to one
 * more.
 */
final class WatchedConfig implements ConfigSource, AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.holdfast.bus");
    private static final int TRIES = 3; // in case the files keep naming other folders

    private final ConfigSource files;
    private final Runnable reload;
    private List<Path> folders = List.of();
    private @Nullable FolderWatch watch;
    private boolean closed;

    /**
     * @param reload called on a thread of the watch after a change; returns when the reload is over
     */
    WatchedConfig(ConfigSource files, Runnable reload) {
        this.files = files;
        this.reload = reload;
    }

    /** Loads the configuration, and watches its folders from then on. */
    @Override
    public BusConfig load() throws ConfigException {
        BusConfig config = files.load();
        for (int i = 0; i < TRIES && watchesAnew(config.folders()); i++) {
            config = files.load();
        }
        return config;
    }

    private synchronized boolean watchesAnew(List<Path> wanted) {
        if (closed || wanted.equals(folders)) {
            return false;
        }
        endWatch();
        folders = wanted;
        if (wanted.isEmpty()) {
            return false;
        }
        try {
            watch = new FolderWatch(wanted, WatchedConfig::isConfiguration, reload);
            return true;
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    "new policy and service files are not noticed before a reload (SIGHUP):"
                            + " inotify: {0}",
                    e.getMessage());
            return false;
        }
    }

    private static boolean isConfiguration(String name) {
        return name.endsWith(".conf") || name.endsWith(".service");
    }

    private void endWatch() {
        FolderWatch before = watch;
        if (before != null) {
            before.close();
            watch = null;
        }
    }

    /** Ends the watch, without waiting for a reload that is running. */
    @Override
    public synchronized void close() {
        closed = true;
        endWatch();
    }
}
