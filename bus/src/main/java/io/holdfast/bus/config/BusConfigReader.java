package io.holdfast.bus.config;

import static java.util.Objects.requireNonNullElse;

import io.holdfast.bus.config.PolicyBlock.Scope;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.dbus.marshal.Syntax;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * Reads busconfig XML files and the files that they include.
 *
 * <p>A document type declaration is accepted and ignored: nothing is fetched, and it defines no
 * entity. What only SELinux or AppArmor need is checked and left out. {@code <limit>} has an
 * attribute that dbus-daemon does not have: {@code user}, or {@code own}, which names whom the
 * limit is for.
 */
final class BusConfigReader {
    /** The most bytes of one file. */
    static final int MAX_FILE_SIZE = 1 << 20;

    /** The most files of one configuration. */
    static final int MAX_FILES = 4096;

    /** The most files inside of each other. */
    static final int MAX_DEPTH = 32;

    /** The most users and names with limits of their own. */
    static final int MAX_LIMITED = 1024;

    private static final Set<String> YES_OR_NO = Set.of("yes", "no");

    private final Map<String, String> environment;
    private final List<Path> open = new ArrayList<>();
    private final List<Path> files = new ArrayList<>();
    private final List<Path> includedFolders = new ArrayList<>();

    private @Nullable String type;
    private final List<String> listen = new ArrayList<>();
    final List<String> auth = new ArrayList<>();
    private @Nullable String user;
    private boolean fork;
    private @Nullable String pidFile;
    private boolean syslog;
    boolean keepUmask;
    private boolean allowAnonymous;
    final List<ServiceFolder> serviceFolders = new ArrayList<>();
    private @Nullable String serviceHelper;
    Limits limits = Limits.BUILT_IN;
    final List<PolicyBlock> policies = new ArrayList<>();

    BusConfigReader(Map<String, String> environment) {
        this.environment = environment;
    }

    /** Makes a reader that continues a configuration that was read before. */
    BusConfigReader(Map<String, String> environment, BusConfig before) {
        this(environment);
        type = before.type();
        listen.addAll(before.listen());
        auth.addAll(before.auth());
        user = before.user();
        fork = before.fork();
        pidFile = before.pidFile();
        syslog = before.syslog();
        keepUmask = before.keepUmask();
        allowAnonymous = before.allowAnonymous();
        serviceFolders.addAll(before.serviceFolders());
        serviceHelper = before.serviceHelper();
        limits = before.limits();
        policies.addAll(before.policies());
        files.addAll(before.files());
        includedFolders.addAll(before.includedFolders());
    }

    BusConfig read(Path file) throws ConfigException {
        include(file.toAbsolutePath(), new ConfigPlace(file.toString(), 0), false);
        return config();
    }

    BusConfig read(String source, byte[] content) throws ConfigException {
        checkSize(content, new ConfigPlace(source, 0), source);
        document(content, source, Path.of("/"));
        return config();
    }

    private static void checkSize(byte[] content, ConfigPlace place, String file)
            throws ConfigException {
        if (content.length > MAX_FILE_SIZE) {
            throw new ConfigException(place, file + " has more than " + MAX_FILE_SIZE + " bytes");
        }
    }

    BusConfig readBuiltIn(String name) throws ConfigException {
        ConfigPlace place = new ConfigPlace("built-in " + name, 0);
        try (InputStream stream = BusConfigReader.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new ConfigException(place, "missing in this build");
            }
            document(stream.readAllBytes(), place.source(), Path.of("/"));
        } catch (IOException e) {
            throw new ConfigException(place, "cannot be read: " + e.getMessage(), e);
        }
        return config();
    }

    /** Returns what was read, or set in the fields, so far. */
    BusConfig config() {
        return new BusConfig(
                type,
                listen,
                auth,
                user,
                fork,
                pidFile,
                syslog,
                keepUmask,
                allowAnonymous,
                serviceFolders,
                serviceHelper,
                limits,
                policies,
                files,
                includedFolders);
    }

    /**
     * @param from the place that includes the file, for errors
     */
    private void include(Path file, ConfigPlace from, boolean ignoreMissing)
            throws ConfigException {
        byte[] bytes;
        Path real;
        try {
            real = file.toRealPath();
            if (open.contains(real)) {
                throw new ConfigException(from, "<include>: " + file + " includes itself");
            }
            if (open.size() == MAX_DEPTH || files.size() == MAX_FILES) {
                throw new ConfigException(
                        from,
                        "<include>: more than "
                                + MAX_DEPTH
                                + " nested files, or "
                                + MAX_FILES
                                + " in all");
            }
            try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
                bytes = opened.readFirst(MAX_FILE_SIZE + 1);
            }
        } catch (IOException e) {
            boolean missing =
                    e instanceof NoSuchFileException
                            || (e instanceof FileException failure && failure.isMissing());
            if (missing && ignoreMissing) {
                return;
            }
            throw new ConfigException(
                    from,
                    missing ? "no such file: " + file : file + " cannot be read: " + e.getMessage(),
                    e);
        }
        checkSize(bytes, from, file.toString());
        open.add(real);
        files.add(file);
        Path folder = file.getParent();
        document(bytes, file.toString(), requireNonNullElse(folder, Path.of("/")));
        open.removeLast();
    }

    private void document(byte[] bytes, String source, Path folder) throws ConfigException {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        try {
            XMLStreamReader xml = factory.createXMLStreamReader(new ByteArrayInputStream(bytes));
            new Document(xml, source, folder).read();
        } catch (XMLStreamException e) {
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNumber();
            String message = requireNonNullElse(e.getMessage(), "unreadable");
            int start = message.indexOf("Message: ");
            throw new ConfigException(
                    new ConfigPlace(source, Math.max(0, line)),
                    "not well-formed XML: "
                            + (start < 0 ? message : message.substring(start + 9)).strip(),
                    e);
        } catch (RuntimeException e) { // the JDK's parser throws one for some malformed documents
            throw new ConfigException(new ConfigPlace(source, 0), "not well-formed XML: " + e, e);
        }
    }

    /** One file. */
    private final class Document {
        private final XMLStreamReader xml;
        private final String source;
        private final Path folder;

        Document(XMLStreamReader xml, String source, Path folder) {
            this.xml = xml;
            this.source = source;
            this.folder = folder;
        }

        void read() throws XMLStreamException, ConfigException {
            while (xml.next() != XMLStreamConstants.START_ELEMENT) {
                // comments, the document type
            }
            if (!xml.getLocalName().equals("busconfig")) {
                throw refuse("is not the root of a bus configuration, which is <busconfig>");
            }
            var _ = attributes(Set.of());
            while (nextChild()) {
                element();
            }
            while (xml.hasNext()) {
                xml.next(); // what follows must be well-formed too
            }
        }

        private void element() throws XMLStreamException, ConfigException {
            switch (xml.getLocalName()) {
                case "type" -> type = text();
                case "listen" -> listen.add(text());
                case "auth" -> auth.add(text());
                case "user" -> user = text();
                case "fork" -> fork = empty();
                case "pidfile" -> pidFile = text();
                case "syslog" -> syslog = empty();
                case "keep_umask" -> keepUmask = empty();
                case "allow_anonymous" -> allowAnonymous = empty();
                case "include" -> includeFile();
                case "includedir" -> includeFolder();
                case "servicedir" ->
                        serviceFolders.add(new ServiceFolder(folder.resolve(path()), false));
                case "standard_session_servicedirs" -> {
                    boolean ignored = empty();
                    serviceFolders.addAll(StandardFolders.session(environment));
                }
                case "standard_system_servicedirs" -> {
                    boolean ignored = empty();
                    serviceFolders.addAll(StandardFolders.system());
                }
                case "servicehelper" -> serviceHelper = text();
                case "limit" -> limit();
                case "policy" -> policy();
                case "selinux" -> selinux();
                case "apparmor" -> apparmor();
                default -> throw refuse("is not allowed inside of <busconfig>");
            }
        }

        private void includeFile() throws XMLStreamException, ConfigException {
            Map<String, String> said =
                    attributes(
                            Set.of(
                                    "ignore_missing",
                                    "if_selinux_enabled",
                                    "selinux_root_relative"));
            for (Map.Entry<String, String> attribute : said.entrySet()) {
                if (!YES_OR_NO.contains(attribute.getValue())) {
                    throw refuse(attribute.getKey() + " is neither yes nor no");
                }
            }
            ConfigPlace place = place();
            Path file = folder.resolve(path());
            if (!"yes".equals(said.get("if_selinux_enabled"))
                    && !"yes".equals(said.get("selinux_root_relative"))) {
                include(file, place, "yes".equals(said.get("ignore_missing")));
            }
        }

        private void includeFolder() throws XMLStreamException, ConfigException {
            ConfigPlace place = place();
            var _ = attributes(Set.of());
            Path included = folder.resolve(path());
            includedFolders.add(included);
            List<Path> found = new ArrayList<>();
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(included, "*.conf")) {
                entries.forEach(found::add);
            } catch (NoSuchFileException | NotDirectoryException _) {
                return;
            } catch (IOException e) {
                throw new ConfigException(
                        place, "<includedir>: " + included + ": " + e.getMessage(), e);
            }
            found.sort(null);
            for (Path file : found) {
                include(file, place, true);
            }
        }

        private void limit() throws XMLStreamException, ConfigException {
            Map<String, String> said = attributes(Set.of("name", "user", "own"));
            String name = said.get("name");
            String user = said.get("user");
            String owned = said.get("own");
            if (name == null) {
                throw refuse("needs a name");
            }
            BusLimit limit = BusLimit.named(name);
            if (limit == null) {
                throw refuse("no such limit: \"" + name + "\"");
            }
            if (user != null && owned != null) {
                throw refuse("is for a user or for the owner of a name, not for both");
            }
            if (user != null && !limit.isOfUser()) {
                throw refuse(name + " is a limit of the whole bus, not of a user");
            }
            if (owned != null && !limit.isOfConnection()) {
                throw refuse(name + " is not a limit of a connection");
            }
            if (owned != null && !Syntax.isWellKnownName(owned)) {
                throw refuse("own: \"" + owned + "\" is not a well-known bus name");
            }
            boolean more =
                    (user != null && !limits.ofUsers().containsKey(user))
                            || (owned != null && !limits.ofNames().containsKey(owned));
            if (more && limits.ofUsers().size() + limits.ofNames().size() >= MAX_LIMITED) {
                throw refuse(
                        "more than " + MAX_LIMITED + " users and names with limits of their own");
            }
            ConfigPlace place = place();
            String value = content();
            if (!value.matches("[0-9]{1,18}")) {
                throw new ConfigException(
                        place,
                        "<limit>: " + name + " of \"" + value + "\" is not a number of 0 or more");
            }
            long number = Long.parseLong(value);
            if (user != null) {
                limits = limits.withForUser(user, limit, number);
            } else if (owned != null) {
                limits = limits.withForName(owned, limit, number);
            } else {
                limits = limits.with(limit, number);
            }
        }

        private void policy() throws XMLStreamException, ConfigException {
            ConfigPlace place = place();
            Scope scope =
                    scope(attributes(Set.of("context", "user", "group", "cgroup", "at_console")));
            List<PolicyRule> rules = new ArrayList<>();
            while (nextChild()) {
                String name = xml.getLocalName();
                if (!name.equals("allow") && !name.equals("deny")) {
                    throw refuse("is not allowed inside of <policy>");
                }
                PolicyRule rule =
                        new PolicyRuleReader(name.equals("allow"), attributes(null), place())
                                .read();
                if (rule.test() instanceof PolicyRule.ConnectTest
                        && !(scope instanceof PolicyBlock.Default)
                        && !(scope instanceof PolicyBlock.Mandatory)) {
                    throw refuse(
                            "a rule about connecting applies to all clients: only allowed in"
                                    + " <policy context=…>");
                }
                rules.add(rule);
                noContent();
            }
            policies.add(new PolicyBlock(scope, rules, place));
        }

        private Scope scope(Map<String, String> said) throws ConfigException {
            if (said.size() != 1) {
                throw refuse("needs exactly one of context, user, group, cgroup and at_console");
            }
            Map.Entry<String, String> only = said.entrySet().iterator().next();
            String value = only.getValue();
            return switch (only.getKey() + "=" + value) {
                case "context=default" -> new PolicyBlock.Default();
                case "context=mandatory" -> new PolicyBlock.Mandatory();
                case "at_console=true" -> new PolicyBlock.ForConsole(true);
                case "at_console=false" -> new PolicyBlock.ForConsole(false);
                default ->
                        switch (only.getKey()) {
                            case "user" -> new PolicyBlock.ForUser(value);
                            case "group" -> new PolicyBlock.ForGroup(value);
                            case "cgroup" -> new PolicyBlock.ForCgroup(cgroup(value));
                            case "context" ->
                                    throw refuse(
                                            "context \""
                                                    + value
                                                    + "\" is neither default nor mandatory");
                            default ->
                                    throw refuse(
                                            "at_console \""
                                                    + value
                                                    + "\" is neither true nor false");
                        };
            };
        }

        private CgroupPath cgroup(String path) throws ConfigException {
            try {
                return CgroupPath.parse(path);
            } catch (IllegalArgumentException e) {
                throw refuse("cgroup \"" + path + "\": " + e.getMessage());
            }
        }

        private void selinux() throws XMLStreamException, ConfigException {
            var _ = attributes(Set.of());
            while (nextChild()) {
                if (!xml.getLocalName().equals("associate")) {
                    throw refuse("is not allowed inside of <selinux>");
                }
                if (attributes(Set.of("own", "context")).size() != 2) {
                    throw refuse("needs own and context");
                }
                noContent();
            }
        }

        private void apparmor() throws XMLStreamException, ConfigException {
            String mode = attributes(Set.of("mode")).getOrDefault("mode", "enabled");
            if (mode.equals("required")) {
                throw refuse("AppArmor is required, but this bus does not support it");
            }
            if (!mode.equals("enabled") && !mode.equals("disabled")) {
                throw refuse("mode \"" + mode + "\" is none of enabled, disabled, required");
            }
            noContent();
        }

        /** Moves to the next child element; returns false at the end of this element. */
        private boolean nextChild() throws XMLStreamException, ConfigException {
            while (true) {
                switch (xml.next()) {
                    case XMLStreamConstants.START_ELEMENT -> {
                        return true;
                    }
                    case XMLStreamConstants.END_ELEMENT -> {
                        return false;
                    }
                    case XMLStreamConstants.COMMENT,
                            XMLStreamConstants.PROCESSING_INSTRUCTION,
                            XMLStreamConstants.SPACE -> {}
                    case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA -> {
                        if (!xml.isWhiteSpace()) {
                            throw new ConfigException(
                                    place(), "unexpected text: \"" + shown() + "\"");
                        }
                    }
                    default -> throw new ConfigException(place(), "unknown entity");
                }
            }
        }

        private String shown() {
            String text = xml.getText().strip().lines().findFirst().orElse("");
            return text.length() > 40 ? text.substring(0, 40) + "…" : text;
        }

        /** Checks that this element has no attributes and no content; returns true. */
        private boolean empty() throws XMLStreamException, ConfigException {
            var _ = attributes(Set.of());
            noContent();
            return true;
        }

        private void noContent() throws XMLStreamException, ConfigException {
            String element = xml.getLocalName();
            if (nextChild()) {
                throw refuse("is not allowed inside of <" + element + ">");
            }
        }

        private String text() throws XMLStreamException, ConfigException {
            var _ = attributes(Set.of());
            return content();
        }

        /** Returns the text of this element as a path. */
        private String path() throws XMLStreamException, ConfigException {
            ConfigPlace place = place();
            String text = content();
            if (text.indexOf('\0') >= 0) {
                throw new ConfigException(place, "a path with a NUL");
            }
            return text;
        }

        /** Returns the text of this element, which must have text and no child element. */
        private String content() throws XMLStreamException, ConfigException {
            String element = xml.getLocalName();
            StringBuilder text = new StringBuilder();
            while (true) {
                switch (xml.next()) {
                    case XMLStreamConstants.END_ELEMENT -> {
                        String content = text.toString().strip();
                        if (content.isEmpty()) {
                            throw refuse("must not be empty");
                        }
                        return content;
                    }
                    case XMLStreamConstants.CHARACTERS,
                            XMLStreamConstants.CDATA,
                            XMLStreamConstants.SPACE ->
                            text.append(xml.getText());
                    case XMLStreamConstants.COMMENT, XMLStreamConstants.PROCESSING_INSTRUCTION -> {}
                    case XMLStreamConstants.START_ELEMENT ->
                            throw refuse("is not allowed inside of <" + element + ">");
                    default -> throw new ConfigException(place(), "unknown entity");
                }
            }
        }

        /**
         * @param known the attributes that are allowed; null if the caller checks them
         */
        private Map<String, String> attributes(@Nullable Set<String> known) throws ConfigException {
            Map<String, String> attributes = new LinkedHashMap<>();
            for (int i = 0; i < xml.getAttributeCount(); i++) {
                String name = xml.getAttributeLocalName(i);
                if (known != null && !known.contains(name)) {
                    throw refuse("no such attribute: " + name);
                }
                attributes.put(name, xml.getAttributeValue(i));
            }
            return attributes;
        }

        private ConfigPlace place() {
            return new ConfigPlace(source, Math.max(0, xml.getLocation().getLineNumber()));
        }

        private ConfigException refuse(String reason) {
            return new ConfigException(place(), "<" + xml.getLocalName() + ">: " + reason);
        }
    }
}
