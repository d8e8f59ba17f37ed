package io.holdfast.dbus.generate;

import static java.util.Objects.requireNonNullElse;

import java.io.ByteArrayInputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * Reads untrusted XML into elements. A document type is allowed and ignored: nothing is fetched,
 * and it defines no entities. Namespace prefixes are ignored.
 */
final class ElementReader {
    /** The greatest depth of nested elements. */
    static final int MAX_DEPTH = 32;

    private final String source;
    private final Deque<Element> open = new ArrayDeque<>();
    private @Nullable Element root;

    private ElementReader(String source) {
        this.source = source;
    }

    static Element read(String source, byte[] bytes) throws IntrospectionException {
        if (bytes.length > IntrospectionReader.MAX_SIZE) {
            throw new IntrospectionException(
                    source, 0, "it has more than " + IntrospectionReader.MAX_SIZE + " bytes");
        }
        return new ElementReader(source).document(bytes);
    }

    private Element document(byte[] bytes) throws IntrospectionException {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_NAMESPACE_AWARE, false);
        try {
            XMLStreamReader xml = factory.createXMLStreamReader(new ByteArrayInputStream(bytes));
            while (xml.hasNext()) {
                event(xml);
            }
        } catch (XMLStreamException e) {
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNumber();
            throw new IntrospectionException(source, line, "not well-formed XML: " + reason(e));
        } catch (RuntimeException e) { // the JDK's parser throws these for some malformed documents
            throw new IntrospectionException(source, 0, "not well-formed XML: " + e);
        }
        Element whole = root;
        if (whole == null) {
            throw new IntrospectionException(source, 0, "it is empty");
        }
        return whole;
    }

    private static String reason(XMLStreamException e) {
        String message = requireNonNullElse(e.getMessage(), "unreadable");
        // skips the position, which our message has already
        int start = message.indexOf("Message: ");
        return start < 0 ? message : message.substring(start + "Message: ".length());
    }

    private void event(XMLStreamReader xml) throws XMLStreamException, IntrospectionException {
        switch (xml.next()) {
            case XMLStreamConstants.START_ELEMENT -> begin(xml);
            case XMLStreamConstants.END_ELEMENT -> end();
            case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA -> {
                Element element = open.peek();
                if (element != null && isDocumentation(element)) {
                    element.append(xml.getText());
                }
            }
            case XMLStreamConstants.ENTITY_REFERENCE ->
                    throw new IntrospectionException(
                            source, line(xml), "an entity that is not known");
            default -> {} // comments, and the document type
        }
    }

    private void begin(XMLStreamReader xml) throws IntrospectionException {
        if (open.size() == MAX_DEPTH) {
            throw new IntrospectionException(
                    source, line(xml), "more than " + MAX_DEPTH + " elements inside of each other");
        }
        Map<String, String> attributes = new HashMap<>();
        for (int i = 0; i < xml.getAttributeCount(); i++) {
            attributes.put(xml.getAttributeLocalName(i), xml.getAttributeValue(i));
        }
        open.push(new Element(withoutPrefix(xml.getLocalName()), line(xml), attributes));
    }

    private void end() {
        Element element = open.pop();
        Element around = open.peek();
        if (around == null) {
            root = element;
        } else if (isDocumentation(around)) {
            around.append(element.text());
        } else {
            around.add(element);
        }
    }

    /**
     * Returns whether the element is documentation or lies within it: then every element in it is
     * text.
     */
    private boolean isDocumentation(Element element) {
        return isDocumentation(element.name())
                || open.stream().anyMatch(each -> isDocumentation(each.name()));
    }

    private static boolean isDocumentation(String name) {
        return name.equals("doc") || name.equals("docstring");
    }

    private static String withoutPrefix(String name) {
        return name.substring(name.indexOf(':') + 1);
    }

    private static int line(XMLStreamReader xml) {
        return xml.getLocation().getLineNumber();
    }
}
