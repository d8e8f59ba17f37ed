package io.holdfast.dbus.generate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.testkit.CompiledSources;
import io.holdfast.dbus.typed.DBusName;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Generates Java interfaces from introspection XML. */
@SameOnEveryKernel
class GeneratedInterfacesTest {
    @TempDir Path folder;

    private static List<IntrospectedInterface> read(String xml) throws IntrospectionException {
        return IntrospectionReader.read("x.xml", xml.getBytes(UTF_8));
    }

    private static String generate(String xml) throws IntrospectionException {
        return InterfaceGenerator.generate(read(xml)).getFirst().text();
    }

    private static String inInterface(String members) {
        return "<node><interface name='org.example.Clock'>" + members + "</interface></node>";
    }

    @Test
    void anInterfaceIsWrittenAsAPersonWould() throws Exception {
        String source =
                generate(
                        """
                        <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
                         "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
                        <node xmlns:doc="http://www.freedesktop.org/dbus/1.0/doc.dtd">
                         <interface name="org.example.Clock">
                          <doc:doc><doc:description><doc:para>Tells the <b>time</b>.</doc:para></doc:description></doc:doc>
                          <method name="At">
                           <annotation name="org.gtk.GDBus.DocString" value="What time it is then."/>
                           <arg name="seconds" type="t" direction="in"/>
                           <arg name="with_zone" type="b">
                            <doc:doc><doc:summary>whether to name the zone</doc:summary></doc:doc>
                           </arg>
                           <arg name="text" type="s" direction="out"/>
                          </method>
                          <method name="Split">
                           <arg type="u"/>
                           <arg name="hours" type="q" direction="out"/>
                           <arg name="rest" type="a(us)" direction="out"/>
                          </method>
                          <method name="Wind">
                           <annotation name="org.freedesktop.DBus.Method.NoReply" value="true"/>
                           <annotation name="org.freedesktop.DBus.Deprecated" value="true"/>
                          </method>
                          <signal name="Tick"><arg name="seconds" type="x"/></signal>
                          <property name="Zone" type="s" access="readwrite"/>
                          <property name="Version" type="u" access="read">
                           <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>
                          </property>
                         </interface>
                        </node>
                        """);

        assertThat(source)
                .isEqualTo(
                        """
                        package org.example;

                        import io.holdfast.dbus.BusInterface;
                        import io.holdfast.dbus.typed.DBusSignal;
                        import io.holdfast.dbus.typed.NoReply;
                        import io.holdfast.dbus.typed.Outputs;
                        import io.holdfast.dbus.typed.Property;
                        import io.holdfast.dbus.typed.Wire;
                        import java.math.BigInteger;
                        import java.util.List;

                        /**
                         * The D-Bus interface {@code org.example.Clock}.
                         *
                         * <p>Tells the time.
                         *
                         * <p>Generated from its introspection data.
                         */
                        public interface Clock {
                            /**
                             * The method {@code At}.
                             *
                             * <p>What time it is then.
                             *
                             * @param seconds the type {@code t}
                             * @param withZone whether to name the zone
                             * @return text
                             */
                            String at(@Wire("t") BigInteger seconds, boolean withZone);

                            /**
                             * The method {@code Split}.
                             *
                             * @param arg0 the type {@code u}
                             * @return the outputs
                             */
                            SplitOutputs split(@Wire("u") long arg0);

                            /**
                             * The method {@code Wind}.
                             */
                            @Deprecated
                            @NoReply
                            void wind();

                            /**
                             * Reads the property {@code Zone}.
                             *
                             * @return the value
                             */
                            @Property
                            String zone();

                            /**
                             * Sets the property {@code Zone}.
                             *
                             * @param value the value
                             */
                            @Property
                            void zone(String value);

                            /**
                             * Reads the property {@code Version}.
                             *
                             * @return the value
                             */
                            @Property(BusInterface.Change.CONSTANT)
                            @Wire("u") long version();

                            /**
                             * The outputs of {@code Split}.
                             *
                             * @param hours the type {@code q}
                             * @param rest the type {@code a(us)}
                             */
                            record SplitOutputs(@Wire("q") int hours, List<SplitOutputsRest> rest) implements Outputs {}

                            /**
                             * The signal {@code Tick}.
                             *
                             * @param seconds the type {@code x}
                             */
                            record Tick(long seconds) implements DBusSignal {}

                            /**
                             * A struct.
                             *
                             * @param member1 a member
                             * @param member2 a member
                             */
                            record SplitOutputsRest(@Wire("u") long member1, String member2) {}
                        }
                        """);
    }

    @Test
    void namesThatJavaKeepsOrThatAreTakenGetAnotherForm() throws Exception {
        String xml =
                """
                <node><interface name='org.import.x.List'>
                 <method name='Import'><arg name='class' type='s'/><arg name='a-b c' type='s'/><arg name='class' type='s'/></method>
                 <method name='Notify'/><method name='notify'/><method name='GetClass'/>
                 <method name='Zone'/><method name='List'/><method name='_'/>
                 <property name='Zone' type='s' access='readwrite'/>
                 <property name='ToString' type='s' access='write'/>
                 <signal name='String'><arg name='hashCode' type='(s(x)a{s(i)})'/></signal>
                 <signal name='string'/>
                 <signal name='XList'><arg name='Wait' type='s'/></signal>
                </interface>
                <interface name='org.import.x.list'/></node>
                """;
        List<SourceFile> files = InterfaceGenerator.generate(read(xml));

        assertThat(files)
                .extracting(SourceFile::path)
                .containsExactly("org/import_/x/XList.java", "org/import_/x/ImportXList.java");
        try (CompiledSources compiled = CompiledSources.of(folder, files)) {
            Class<?> type = compiled.type("org.import_.x.XList");
            Map<String, String> names = new LinkedHashMap<>();
            for (Method method : type.getMethods()) {
                DBusName name = method.getAnnotation(DBusName.class);
                names.put(method.getName(), name == null ? "" : name.value());
            }
            assertThat(names)
                    .containsOnly(
                            Map.entry("import_", "Import"),
                            Map.entry("notify_", "Notify"),
                            Map.entry("notify__", "notify"),
                            Map.entry("getClass_", "GetClass"),
                            Map.entry("zone", ""),
                            Map.entry("list", ""),
                            Map.entry("__", "_"),
                            Map.entry("zoneProperty", "Zone"),
                            Map.entry("toString_", "ToString"));
            assertThat(
                            Arrays.stream(type.getMethods())
                                    .filter(m -> m.getName().equals("import_"))
                                    .findFirst()
                                    .orElseThrow()
                                    .getParameters())
                    .extracting(p -> p.getName())
                    .containsExactly("class_", "aBC", "class__");
        }
    }

    @Test
    void aSignalMayHaveTheNameOfAnyType() throws Exception {
        String source = generate(inInterface("<signal name='Signal'/><signal name='DBusSignal'/>"));
        assertThat(source)
                .contains("record Signal() implements DBusSignal")
                .contains("record DBusSignal_() implements DBusSignal");
        assertThat(CompiledSources.complaints(folder, files(source))).isEmpty();
    }

    @Test
    void hostileDocumentationStaysInItsComment() throws Exception {
        String source =
                generate(
                        inInterface(
                                "<method name='At'><annotation name='org.gtk.GDBus.DocString'"
                                        + " value='a */ class B {} \\u002a/ &lt;script&gt; {@code x}"
                                        + " @return \u202e *\u200b/'/></method>"));

        assertThat(source.replaceAll("\\s+\\* &#64;", " &#64;"))
                .contains(
                        "a &#42;/ class B &#123;&#125; &#92;u002a/ &lt;script&gt;"
                                + " &#123;&#64;code x&#125; &#64;return &#42; /");
        assertThat(CompiledSources.complaints(folder, files(source))).isEmpty();
    }

    private static List<SourceFile> files(String source) {
        return List.of(new SourceFile("org/example/Clock.java", source));
    }

    @Test
    void theSameXmlGivesTheSameSource() throws Exception {
        String xml = inInterface("<method name='At'><arg type='a{sv}'/></method>");
        assertThat(generate(xml)).isEqualTo(generate(xml));
    }

    @Test
    void interfacesOfOnePackageHaveNamesOfTheirOwn() throws Exception {
        List<IntrospectedInterface> all =
                read(
                        "<node><interface name='a.b.Unit'/><node name='x'><interface"
                                + " name='c.d.Unit'/><interface name='a.b.Unit'/></node></node>");
        assertThat(InterfaceGenerator.generate(all, "org.example"))
                .extracting(SourceFile::path)
                .containsExactly("org/example/Unit.java", "org/example/DUnit.java");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> InterfaceGenerator.generate(all, "org.import"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> InterfaceGenerator.generate(all, "../up"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    <node>\\n<interface name='x'/></node> | 2: no name of a D-Bus interface: "x"
                    <node><interface name='a.b'>\\n\\n<method name='a-b'/></interface></node> | 3: no name of a D-Bus method: "a-b"
                    <node><interface name='a.b'><method/></interface></node> | 1: no name of a D-Bus method: ""
                    <node><interface name='a.b'><method name='M'><arg type='ii'/></method></interface></node> | 1: the type of the arg is "ii", and not one type
                    <node><interface name='a.b'><method name='M'><arg type='{ss}'/></method></interface></node> | 1: the type of the arg is not a signature
                    <node><interface name='a.b'><method name='M'><arg type='s' direction='up'/></method></interface></node> | 1: direction of the arg
                    <node><interface name='a.b'><property name='P' type='s'/></interface></node> | 1: access of the property P is read, write
                    <node><interface name='a.b'><method name='M'/><method name='M'/></interface></node> | 1: a.b has the method M twice
                    <node><interface name='a.b'/><interface name='a.b'><method name='M'/></interface></node> | 1: interface a.b is defined twice
                    <html/> | 1: introspection data is a <node>, and not a <html>
                    <node>\\n<interface name='a.b'> | 2: not well-formed XML
                    <!DOCTYPE node [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><node>\\n<doc>&x;</doc></node> | The entity "x" was referenced, but not declared
                    """)
    void whatIsWrongIsRefusedByItsPlace(String xml, String complaint) {
        assertThatExceptionOfType(IntrospectionException.class)
                .isThrownBy(() -> read(xml.replace("\\n", "\n")))
                .withMessageStartingWith("x.xml:")
                .withMessageContaining(complaint);
    }

    @ParameterizedTest
    @ValueSource(strings = {"argument", "member", "depth", "size"})
    void whatIsTooMuchIsRefused(String what) {
        String xml =
                switch (what) {
                    case "argument" ->
                            inInterface(
                                    "<method name='M'>"
                                            + "<arg type='s'/>".repeat(121)
                                            + "</method>");
                    case "member" ->
                            inInterface(
                                    "<method name='M'><arg type='("
                                            + "x".repeat(121)
                                            + ")'/></method>");
                    case "depth" -> "<node>".repeat(33) + "</node>".repeat(33);
                    default -> "<node>" + " ".repeat(IntrospectionReader.MAX_SIZE) + "</node>";
                };
        assertThatExceptionOfType(IntrospectionException.class)
                .isThrownBy(() -> read(xml))
                .withMessageContaining("more than");
    }

    /** Compiles the interfaces that this machine's packages install. */
    @Test
    void allInterfacesOfThisMachineCompile() throws Exception {
        Path interfaces = Path.of("/usr/share/dbus-1/interfaces");
        assumeThat(interfaces).isDirectory();
        List<Path> files;
        try (Stream<Path> all = Files.list(interfaces)) {
            files = all.filter(each -> each.toString().endsWith(".xml")).sorted().toList();
        }
        Map<String, IntrospectedInterface> described = new LinkedHashMap<>();
        for (Path file : files) {
            for (IntrospectedInterface each :
                    IntrospectionReader.read(file.toString(), Files.readAllBytes(file))) {
                described.putIfAbsent(each.name(), each);
            }
        }
        List<SourceFile> sources = InterfaceGenerator.generate(described.values());
        assertThat(sources).hasSameSizeAs(described.values());
        assertThat(CompiledSources.complaints(folder, sources)).isEmpty();
    }
}
