package io.holdfast.cli.service;

import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.install.InstallFolders;
import io.holdfast.manager.unit.install.UnitInstaller;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.ParseResult;

/** The unit files that a command is about: those of this machine, or those of an image. */
final class UnitFileSet {
    static final String ROOT = "--root";

    private final ManagerOptions options;
    private final boolean isImage;
    private final LoadPath path;

    private UnitFileSet(ManagerOptions options, boolean isImage, LoadPath path) {
        this.options = options;
        this.isImage = isImage;
        this.path = path;
    }

    /** Adds the options that select the files. */
    static void addOptions(Grammar grammar) {
        grammar.with(ManagerSocket::addOptions)
                .option(
                        ROOT + " DIR",
                        Path.class,
                        "Use the system below this folder, such as an image.");
    }

    static UnitFileSet of(ParseResult line) {
        ManagerOptions options = ManagerSocket.options(line);
        Path root = line.matchedOptionValue(ROOT, null);
        if (root != null && !Files.isDirectory(root)) {
            throw new CommandException(root + ": no such folder");
        }
        LoadPath path = options.loadPath();
        return new UnitFileSet(
                options, root != null, root == null ? path : path.below(new FileRoot(root)));
    }

    /** Returns whether the files are those of another system, which no manager here has loaded. */
    boolean isImage() {
        return isImage;
    }

    LoadPath path() {
        return path;
    }

    InstallFolders folders() {
        return InstallFolders.of(options.scope(), path);
    }

    UnitReader reader() {
        return new UnitReader(Host.read(), options.scope());
    }

    UnitInstaller installer() {
        return new UnitInstaller(folders(), reader());
    }

    /**
     * Returns a word of the command line as the name of a unit, or as a path if it has a slash.
     *
     * @throws CommandException if it is neither
     */
    String named(String word) {
        if (word.contains("/")) {
            return isImage ? word : Path.of(word).toAbsolutePath().normalize().toString();
        }
        try {
            return UnitName.ofUserInput(word).text();
        } catch (IllegalArgumentException e) {
            throw new CommandException("not the name of a unit: " + word, e);
        }
    }

    /**
     * Returns the files of a unit.
     *
     * @throws CommandException if there is no such unit
     */
    UnitSource find(UnitLoader loader, String word) {
        UnitName name = UnitName.of(named(word.substring(word.lastIndexOf('/') + 1)));
        UnitSource source = loader.load(name);
        if (source.state() == UnitSource.State.NOT_FOUND) {
            throw new CommandException(name + ": there is no such unit");
        }
        return source;
    }

    /** Makes a manager read the files again, if one runs. */
    void reload(ParseResult line) {
        if (!isImage && Files.exists(options.runtimeDirectory().resolve(ManagerInterface.SOCKET))) {
            var _ =
                    ManagerSocket.call(
                            line, "ReloadDaemon", JsonObject.of(ManagerSocket.INTERACTIVE, true));
        }
    }
}
