package io.holdfast.authority.action;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import io.holdfast.authority.subject.Identity;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * A reader of policy files: XML of the document type policyconfig (polkit(8)). A file is never
 * refused as a whole: the actions before an error are used, those after it are not, and the error
 * is reported with its place.
 *
 * <p>A document type declaration is ignored: nothing is fetched, and it defines no entity. Unknown
 * elements are skipped with their content. The text of an element is used whole, even if entities,
 * comments or CDATA sections divide it, and whitespace is not stripped.
 */
public final class PolicyFileReader {
    /** The maximum number of bytes of one file; a larger one is not read. */
    public static final int MAX_FILE_SIZE = 1 << 20;

    /** The deepest nesting of elements. */
    public static final int MAX_DEPTH = 32;

    /** The maximum number of problems that are reported of one file. */
    public static final int MAX_PROBLEMS = 100;

    private static final String REST_IGNORED = "; the rest of the file is ignored";

    private final Path file;
    private final List<Action> actions = new ArrayList<>();
    private final List<Problem> problems = new ArrayList<>();
    private final Deque<Element> open = new ArrayDeque<>();
    private String vendor = "";
    private String vendorUrl = "";
    private String iconName = "";
    private @Nullable Declaration declaration; // of the present action element

    private PolicyFileReader(Path file) {
        this.file = file;
    }

    /**
     * Reads a file. It must be a regular file, or a symbolic link to one: any other could block
     * when it is opened, or have no end.
     */
    public static PolicyFile read(Path file) {
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            return parse(file, opened.readFirst(MAX_FILE_SIZE + 1));
        } catch (FileException e) {
            return unread(file, String.valueOf(e.getReason()));
        }
    }

    /**
     * Parses the content of a file.
     *
     * @param file used only for the places
     */
    public static PolicyFile parse(Path file, byte[] bytes) {
        if (bytes.length > MAX_FILE_SIZE) {
            return unread(file, "has more than " + MAX_FILE_SIZE + " bytes");
        }
        PolicyFileReader reader = new PolicyFileReader(file);
        reader.document(bytes);
        return new PolicyFile(file, reader.actions, reader.problems);
    }

    private static PolicyFile unread(Path file, String reason) {
        return new PolicyFile(
                file, List.of(), List.of(new Problem(new SourceLine(file, 0), reason)));
    }

    /** The meaning of an element, which depends on the element around it. */
    private enum Meaning {
        POLICY_CONFIG,
        VENDOR,
        VENDOR_URL,
        ICON_NAME,
        ACTION,
        DESCRIPTION,
        MESSAGE,
        ACTION_VENDOR,
        ACTION_VENDOR_URL,
        ACTION_ICON_NAME,
        ANNOTATE,
        DEFAULTS,
        ALLOW_ANY,
        ALLOW_INACTIVE,
        ALLOW_ACTIVE,
        UNKNOWN
    }

    /**
     * An element that has begun.
     *
     * @param text its text so far, without that of inner elements
     */
    private record Element(Meaning meaning, Map<String, String> attributes, StringBuilder text) {}

    /** An error after which the rest of a file is ignored. */
    private static final class PolicyException extends Exception {
        private static final long serialVersionUID = 1L;

        private PolicyException(String message) {
            super(message);
        }
    }

    private void document(byte[] bytes) {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_NAMESPACE_AWARE, false); // prefixes are not special
        try {
            XMLStreamReader xml = factory.createXMLStreamReader(new ByteArrayInputStream(bytes));
            try {
                while (xml.hasNext()) {
                    event(xml);
                }
            } catch (PolicyException e) {
                problem(line(xml), e.getMessage() + REST_IGNORED);
            }
        } catch (XMLStreamException e) {
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNumber();
            problem(Math.max(0, line), "not well-formed XML: " + reason(e) + REST_IGNORED);
        } catch (RuntimeException e) { // a defect of the XML parser: only this file is affected
            problem(0, "cannot be parsed: " + e + REST_IGNORED);
        }
    }

    private static String reason(XMLStreamException e) {
        String message = requireNonNullElse(e.getMessage(), "unreadable");
        int start = message.indexOf("Message: "); // it follows the place, which a Problem has
        String reason = start < 0 ? message : message.substring(start + 9);
        return reason.strip().replaceFirst("\\.$", "").replace('\n', ' ');
    }

    private void event(XMLStreamReader xml) throws XMLStreamException, PolicyException {
        switch (xml.next()) {
            case XMLStreamConstants.START_ELEMENT -> begin(xml);
            case XMLStreamConstants.END_ELEMENT -> end();
            case XMLStreamConstants.CHARACTERS,
                    XMLStreamConstants.CDATA,
                    XMLStreamConstants.SPACE -> {
                Element element = open.peek();
                if (element != null && element.meaning != Meaning.UNKNOWN) {
                    var _ = element.text.append(xml.getText());
                }
            }
            case XMLStreamConstants.ENTITY_REFERENCE -> throw new PolicyException("unknown entity");
            default -> {} // comments, the document type
        }
    }

    private void begin(XMLStreamReader xml) throws PolicyException {
        if (open.size() == MAX_DEPTH) {
            throw new PolicyException("more than " + MAX_DEPTH + " elements inside of each other");
        }
        Map<String, String> attributes = new HashMap<>();
        for (int i = 0; i < xml.getAttributeCount(); i++) {
            String prefix = xml.getAttributePrefix(i);
            String name = xml.getAttributeLocalName(i);
            attributes.put(
                    prefix == null || prefix.isEmpty() ? name : prefix + ":" + name,
                    xml.getAttributeValue(i));
        }
        String name = xml.getLocalName();
        Element around = open.peek();
        Meaning meaning = meaning(around == null ? null : around.meaning, name);
        if (meaning == Meaning.ACTION) {
            String id = only("id", name, attributes);
            declaration = new Declaration(id, new SourceLine(file, line(xml)));
        } else if (meaning == Meaning.ANNOTATE) {
            var _ = only("key", name, attributes);
        } else if (meaning == Meaning.UNKNOWN
                && (around == null || around.meaning != Meaning.UNKNOWN)) {
            problem(line(xml), "<" + name + "> is not valid here: skipped");
        }
        open.push(new Element(meaning, attributes, new StringBuilder()));
    }

    private static Meaning meaning(@Nullable Meaning around, String name) {
        if (around == null) {
            return name.equals("policyconfig") ? Meaning.POLICY_CONFIG : Meaning.UNKNOWN;
        }
        return switch (around) {
            case POLICY_CONFIG ->
                    switch (name) {
                        case "action" -> Meaning.ACTION;
                        case "vendor" -> Meaning.VENDOR;
                        case "vendor_url" -> Meaning.VENDOR_URL;
                        case "icon_name" -> Meaning.ICON_NAME;
                        default -> Meaning.UNKNOWN;
                    };
            case ACTION ->
                    switch (name) {
                        case "description" -> Meaning.DESCRIPTION;
                        case "message" -> Meaning.MESSAGE;
                        case "vendor" -> Meaning.ACTION_VENDOR;
                        case "vendor_url" -> Meaning.ACTION_VENDOR_URL;
                        case "icon_name" -> Meaning.ACTION_ICON_NAME;
                        case "annotate" -> Meaning.ANNOTATE;
                        case "defaults" -> Meaning.DEFAULTS;
                        default -> Meaning.UNKNOWN;
                    };
            case DEFAULTS ->
                    switch (name) {
                        case "allow_any" -> Meaning.ALLOW_ANY;
                        case "allow_inactive" -> Meaning.ALLOW_INACTIVE;
                        case "allow_active" -> Meaning.ALLOW_ACTIVE;
                        default -> Meaning.UNKNOWN;
                    };
            default -> Meaning.UNKNOWN;
        };
    }

    private static String only(String attribute, String element, Map<String, String> attributes)
            throws PolicyException {
        String value = attributes.get(attribute);
        if (value == null || attributes.size() > 1) {
            throw new PolicyException(
                    "<" + element + "> needs the attribute " + attribute + " alone");
        }
        return value;
    }

    private void end() throws PolicyException {
        Element element = open.pop();
        String text = element.text.toString();
        switch (element.meaning) {
            case VENDOR -> vendor = text;
            case VENDOR_URL -> vendorUrl = text;
            case ICON_NAME -> iconName = icon(text);
            case ACTION -> {
                Action action = declaration().action(vendor, vendorUrl, iconName);
                checkOwners(action);
                actions.add(action);
            }
            case DESCRIPTION -> declaration().description.add(text, element.attributes);
            case MESSAGE -> declaration().message.add(text, element.attributes);
            case ACTION_VENDOR -> declaration().vendor = text;
            case ACTION_VENDOR_URL -> declaration().vendorUrl = text;
            case ACTION_ICON_NAME -> declaration().iconName = icon(text);
            case ANNOTATE ->
                    declaration()
                            .annotations
                            .put(requireNonNull(element.attributes.get("key")), text);
            case ALLOW_ANY -> declaration().any = answer(text);
            case ALLOW_INACTIVE -> declaration().inactive = answer(text);
            case ALLOW_ACTIVE -> declaration().active = answer(text);
            case POLICY_CONFIG, DEFAULTS, UNKNOWN -> {}
        }
    }

    private Declaration declaration() {
        return requireNonNull(declaration); // these meanings occur only inside of an action
    }

    private static String icon(String text) throws PolicyException {
        if (text.endsWith(".png") || text.endsWith(".jpg") || text.indexOf('/') >= 0) {
            throw new PolicyException(
                    "the name of an icon is required, not a file: " + shown(text));
        }
        return text;
    }

    private static ImplicitAuthorization answer(String text) throws PolicyException {
        return text.isEmpty()
                ? ImplicitAuthorization.NO
                : ImplicitAuthorization.ofWord(text)
                        .orElseThrow(() ->
                                new PolicyException(
                                        shown(text)
                                                + " is not one of no, yes, auth_self,"
                                                + " auth_self_keep, auth_admin and"
                                                + " auth_admin_keep"));
    }

    private void checkOwners(Action action) {
        for (String word : action.words(Action.OWNER)) {
            try {
                var _ = Identity.parse(word);
            } catch (IllegalArgumentException e) {
                problem(action.place().line(), Action.OWNER + ": " + e.getMessage());
            }
        }
    }

    private static String shown(String text) {
        String line = text.replace('\n', ' ');
        return '"' + (line.length() > 40 ? line.substring(0, 40) + "…" : line) + '"';
    }

    private static int line(XMLStreamReader xml) {
        return Math.max(0, xml.getLocation().getLineNumber());
    }

    private void problem(int line, String reason) {
        if (problems.size() < MAX_PROBLEMS) {
            problems.add(new Problem(new SourceLine(file, line), reason));
        }
    }
}
