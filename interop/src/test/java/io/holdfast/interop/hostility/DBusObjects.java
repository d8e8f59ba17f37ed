package io.holdfast.interop.hostility;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/**
 * All objects of a bus name, as {@code org.freedesktop.DBus.Introspectable} describes them.
 *
 * @param methods by {@code interface.member}
 * @param interfaces the interfaces of each object, by path
 * @param properties the properties of each object, by path
 */
record DBusObjects(
        Map<String, Described> methods,
        Map<String, List<String>> interfaces,
        Map<String, List<String>> properties) {

    /**
     * A method.
     *
     * @param types the types of its arguments
     * @param names the names of its arguments; empty for one without a name
     * @param paths the objects that have it
     */
    record Described(
            String interfaceName,
            String member,
            List<String> types,
            List<String> names,
            List<String> paths) {}

    /**
     * Walks through the whole tree.
     *
     * @param service returns the service's object at a path
     */
    static DBusObjects of(Function<String, RemoteObject> service) throws InterruptedException {
        Walk walk = new Walk(service);
        walk.visit("/");
        return new DBusObjects(walk.methods, walk.interfaces, walk.properties);
    }

    private static final class Walk {
        private final Function<String, RemoteObject> service;
        private final Map<String, Described> methods = new LinkedHashMap<>();
        private final Map<String, List<String>> interfaces = new HashMap<>();
        private final Map<String, List<String>> properties = new HashMap<>();

        Walk(Function<String, RemoteObject> service) {
            this.service = service;
        }

        void visit(String path) throws InterruptedException {
            Element node;
            try {
                node =
                        parse(
                                (String)
                                        service.apply(path)
                                                .call(
                                                        "org.freedesktop.DBus.Introspectable",
                                                        "Introspect")
                                                .getFirst());
            } catch (DBusException e) {
                return; // the object is gone
            }
            for (Element described : children(node, "interface")) {
                add(path, described);
            }
            for (Element child : children(node, "node")) {
                visit((path.equals("/") ? "/" : path + "/") + child.getAttribute("name"));
            }
        }

        private void add(String path, Element described) {
            String interfaceName = described.getAttribute("name");
            add(interfaces, path, interfaceName);
            for (Element property : children(described, "property")) {
                add(properties, path, property.getAttribute("name"));
            }
            for (Element method : children(described, "method")) {
                String member = method.getAttribute("name");
                methods.computeIfAbsent(
                                interfaceName + "." + member,
                                _ -> described(interfaceName, member, method))
                        .paths()
                        .add(path);
            }
        }

        private static void add(Map<String, List<String>> to, String path, String name) {
            to.computeIfAbsent(path, _ -> new ArrayList<>()).add(name);
        }

        private static Described described(String interfaceName, String member, Element method) {
            List<String> types = new ArrayList<>();
            List<String> names = new ArrayList<>();
            for (Element argument : children(method, "arg")) {
                if (!argument.getAttribute("direction").equals("out")) {
                    types.add(argument.getAttribute("type"));
                    names.add(argument.getAttribute("name"));
                }
            }
            return new Described(interfaceName, member, types, names, new ArrayList<>());
        }
    }

    private static Element parse(String xml) {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature(
                    "http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
            return factory.newDocumentBuilder()
                    .parse(new InputSource(new StringReader(xml)))
                    .getDocumentElement();
        } catch (ParserConfigurationException | SAXException e) {
            throw new IllegalStateException("an object describes itself by: " + xml, e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Element> children(Element parent, String tag) {
        List<Element> found = new ArrayList<>();
        for (Node child = parent.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element element && element.getTagName().equals(tag)) {
                found.add(element);
            }
        }
        return found;
    }
}
