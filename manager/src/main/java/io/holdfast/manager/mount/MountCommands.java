package io.holdfast.manager.mount;

import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.section.MountUnit;
import io.holdfast.manager.unit.value.ExecCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The commands of a mount, mount(8) and umount(8), and the folders that they need. */
final class MountCommands {
    private MountCommands() {}

    static ExecCommand mount(MountUnit.Section mount) {
        return mount(mount, mount.options().forMount());
    }

    /** Changes the options of what is mounted. */
    static ExecCommand remount(MountUnit.Section mount) {
        String options = mount.options().forMount();
        return mount(mount, options.isEmpty() ? "remount" : "remount," + options);
    }

    private static ExecCommand mount(MountUnit.Section mount, String options) {
        List<String> words = new ArrayList<>(List.of(mount.what(), mount.where()));
        if (mount.sloppy()) {
            words.add("-s");
        }
        if (mount.readWriteOnly()) {
            words.add("-w");
        }
        mount.type().ifPresent(type -> words.addAll(List.of("-t", type)));
        if (!options.isEmpty()) {
            words.addAll(List.of("-o", options));
        }
        return command("mount", words);
    }

    static ExecCommand unmount(MountUnit.Section mount) {
        List<String> words = new ArrayList<>(List.of(mount.where(), "-c"));
        if (mount.lazy()) {
            words.add("-l");
        }
        if (mount.force()) {
            words.add("-f");
        }
        return command("umount", words);
    }

    /** Returns a command of these words, without expansion of variables. */
    static ExecCommand command(String program, List<String> words) {
        List<String> arguments = new ArrayList<>(List.of(program));
        arguments.addAll(words);
        return new ExecCommand(
                program,
                arguments,
                Set.of(ExecCommand.Flag.NO_EXPANSION),
                new UnitFilePlace(program, 0));
    }

    /**
     * Makes the folder to mount on, and the folder that a bind mount shows. Blocking.
     *
     * @throws IOException if the path leads through a symbolic link: the mount would be elsewhere,
     *     and its unit would never see it
     * @throws FileException if a folder cannot be made
     */
    static void makeFolders(MountUnit.Section mount) throws IOException, FileException {
        if (mount.isBind() && !Files.exists(KernelPath.of(mount.what()))) {
            Directory.make(mount.what(), mount.directoryMode()).close();
        }
        Path where = KernelPath.of(mount.where());
        if (!Files.exists(where, LinkOption.NOFOLLOW_LINKS)) {
            Directory.make(mount.where(), mount.directoryMode()).close();
        }
        if (!where.toRealPath().equals(where)) {
            throw new IOException(
                    "%s leads to %s by a symbolic link; mount there instead"
                            .formatted(where, where.toRealPath()));
        }
    }
}
