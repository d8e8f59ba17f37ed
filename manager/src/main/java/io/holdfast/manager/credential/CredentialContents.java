package io.holdfast.manager.credential;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.Links;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.HeldPath;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CredentialSettings;
import io.holdfast.manager.unit.settings.CredentialSettings.Content;
import io.holdfast.manager.unit.settings.CredentialSettings.Import;
import io.holdfast.manager.unit.settings.CredentialSettings.Source;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Collects the content of the credentials of one run, in the order of systemd: what is loaded, what
 * a store has, and then what the unit file itself gives for names that have nothing so far.
 *
 * <p>A file is opened without waiting and checked once it is open, a socket is connected to with a
 * time limit, which counts for all together. Blocking.
 */
final class CredentialContents {
    /** The maximum bytes of all credentials of a unit with their names, as in systemd. */
    static final int MAX_SIZE = 1 << 20;

    /** The maximum bytes of an encrypted credential, in Base64. */
    private static final int MAX_ENCRYPTED = 2 << 20;

    private static final int MAX_DEPTH = 16;
    private static final OpenHow FILE = OpenHow.reading().orNull();

    private final UnitName unit;
    private final CredentialStores stores;
    private final CredentialDecryption decryption;
    private final Map<String, byte[]> contents = new LinkedHashMap<>();
    private final long begin = System.nanoTime();
    private int left = MAX_SIZE;
    private int seen;

    CredentialContents(UnitName unit, CredentialStores stores, CredentialDecryption decryption) {
        this.unit = unit;
        this.stores = stores;
        this.decryption = decryption;
    }

    /**
     * Returns the content of each credential, by name.
     *
     * @throws CredentialException if one is missing, too large, or cannot be read or decrypted
     */
    Map<String, byte[]> collect(CredentialSettings settings)
            throws CredentialException, InterruptedException {
        for (Map.Entry<String, Source> each : settings.loaded().entrySet()) {
            String name = each.getKey();
            try {
                load(name, each.getValue());
            } catch (FileException e) {
                if (!e.isMissing() || !settings.given().containsKey(name)) {
                    throw new CredentialException(name, e);
                }
            } catch (ErrnoException e) {
                throw new CredentialException(name, e);
            }
        }
        for (Import rule : settings.imported()) {
            for (Path store : stores.plain()) {
                importFrom(store, rule, false);
            }
            for (Path store : stores.encrypted()) {
                importFrom(store, rule, true);
            }
        }
        for (Map.Entry<String, Content> each : settings.given().entrySet()) {
            Content content = each.getValue();
            if (!contents.containsKey(each.getKey())) {
                add(
                        each.getKey(),
                        content.bytes().getBytes(content.isEncrypted() ? US_ASCII : ISO_8859_1),
                        content.isEncrypted());
            }
        }
        return contents;
    }

    private Duration timeLeft() {
        Duration limit = ManagerLimits.CREDENTIAL_TIMEOUT.duration();
        Duration rest = limit.minusNanos(System.nanoTime() - begin);
        return rest.isNegative() ? Duration.ZERO : rest;
    }

    private void add(String name, byte[] content, boolean isEncrypted)
            throws CredentialException, InterruptedException {
        byte[] plain = isEncrypted ? decryption.decrypt(name, content, timeLeft()) : content;
        if (name.length() + plain.length > left) {
            throw new CredentialException(
                    "credential %s: the credentials of a unit have at most %d bytes together"
                            .formatted(name, MAX_SIZE));
        }
        left -= name.length() + plain.length;
        contents.put(name, plain);
    }

    private static int most(boolean isEncrypted) {
        return isEncrypted ? MAX_ENCRYPTED : MAX_SIZE;
    }

    // ---- LoadCredential=

    private void load(String name, Source source)
            throws FileException, CredentialException, InterruptedException {
        boolean isEncrypted = source.isEncrypted();
        if (!source.path().startsWith("/")) {
            List<Path> folders = isEncrypted ? stores.all() : stores.plain();
            Optional<byte[]> found = ofStores(folders, source.path(), isEncrypted);
            if (found.isPresent()) { // a program reports one that it needs itself
                add(name, found.get(), isEncrypted);
            }
            return;
        }
        try (HeldPath held = HeldPath.open(source.path())) {
            switch (held.kind()) {
                case DIRECTORY -> {
                    try (Directory folder = Directory.held(held.fd(), source.path())) {
                        loadAll(name, folder, isEncrypted, 0);
                    }
                }
                case SOCKET ->
                        add(
                                name,
                                received(held.fd(), source.path(), name, isEncrypted),
                                isEncrypted);
                default -> {
                    try (OpenedFile file = OpenedFile.open(source.path(), FILE)) {
                        add(name, content(file, isEncrypted), isEncrypted);
                    }
                }
            }
        }
    }

    private static byte[] content(OpenedFile file, boolean isEncrypted) throws FileException {
        return file.isNull() ? new byte[0] : file.readAll(most(isEncrypted));
    }

    private byte[] received(Fd socket, String path, String name, boolean isEncrypted)
            throws InterruptedException {
        return CredentialSocket.read(
                socket, path, unit.text(), name, most(isEncrypted), timeLeft());
    }

    /**
     * Loads the files and sockets below a folder: each step in the path becomes a part of a name.
     */
    private void loadAll(String prefix, Directory folder, boolean isEncrypted, int depth)
            throws FileException, CredentialException, InterruptedException {
        if (depth > MAX_DEPTH) {
            throw FileException.refusal(
                    folder.path(), "is more than " + MAX_DEPTH + " deep", Errno.ELOOP, null);
        }
        for (String file : new TreeSet<>(names(folder))) {
            String name = prefix + "_" + file;
            Optional<FileKind> kind = folder.stat(file).map(FileKind::of);
            if (kind.isEmpty()) {
                continue; // removed meanwhile
            }
            boolean isTaken = contents.containsKey(name);
            switch (kind.get()) {
                case DIRECTORY -> {
                    try (Directory inner = folder.enter(file)) {
                        loadAll(name, inner, isEncrypted, depth + 1);
                    }
                }
                case REGULAR -> {
                    if (!isTaken) {
                        requireName(name);
                        try (OpenedFile opened = folder.open(file, FILE.links(Links.REFUSED))) {
                            add(name, content(opened, isEncrypted), isEncrypted);
                        }
                    }
                }
                case SOCKET -> {
                    if (!isTaken) {
                        requireName(name);
                        String path = folder.path() + "/" + file;
                        try (Fd held = folder.hold(file)) {
                            add(name, received(held, path, name, isEncrypted), isEncrypted);
                        }
                    }
                }
                default -> {} // systemd leaves out links, FIFOs and devices, too
            }
        }
    }

    private List<String> names(Directory folder) throws FileException {
        int most = ManagerLimits.CREDENTIAL_FILES.intValue();
        List<String> names = folder.names(most - seen + 1);
        seen += names.size();
        if (seen > most) {
            throw FileException.refusal(
                    folder.path(),
                    "has more than " + most + " files",
                    Errno.E2BIG,
                    ManagerLimits.CREDENTIAL_FILES.remedy());
        }
        return names;
    }

    private static void requireName(String name) throws CredentialException {
        if (!CredentialSettings.isName(name)) {
            throw new CredentialException(
                    "credential " + name + ": a credential cannot have this name");
        }
    }

    // ---- stores

    /** Returns the content that the first of these folders has. */
    private static Optional<byte[]> ofStores(List<Path> folders, String name, boolean isEncrypted)
            throws FileException {
        for (Path folder : folders) {
            try (OpenedFile file = OpenedFile.open(folder.resolve(name), FILE)) {
                return Optional.of(content(file, isEncrypted));
            } catch (FileException e) {
                if (!e.isMissing()) {
                    throw e;
                }
            }
        }
        return Optional.empty();
    }

    private void importFrom(Path store, Import rule, boolean isEncrypted)
            throws CredentialException, InterruptedException {
        if (!CredentialStores.exists(store)) {
            return;
        }
        try (Directory folder = Directory.open(store.toString())) {
            for (String file :
                    new TreeSet<>(rule.isGlob() ? names(folder) : List.of(rule.pattern()))) {
                String name = rule.nameOf(file);
                Optional<FileStatus> stat = folder.stat(file);
                if (!rule.matches(file)
                        || !CredentialSettings.isName(name)
                        || contents.containsKey(name)
                        || stat.isEmpty()
                        || stat.get().isDirectory()) {
                    continue;
                }
                try (OpenedFile opened = folder.open(file, FILE)) {
                    add(name, content(opened, isEncrypted), isEncrypted);
                }
            }
        } catch (FileException e) {
            throw new CredentialException(rule.pattern(), e);
        }
    }
}
