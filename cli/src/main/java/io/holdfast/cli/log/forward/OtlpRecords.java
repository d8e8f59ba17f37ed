package io.holdfast.cli.log.forward;

import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON text of a batch as an ExportLogsServiceRequest of OTLP 1.x. The host and the unit are
 * the resource of a record; all fields but {@code MESSAGE} are attributes under their own names.
 */
final class OtlpRecords {
    /** The severity number of each level of syslog, after the data model's appendix. */
    private static final int[] SEVERITY = {21, 19, 18, 17, 13, 10, 9, 5};

    private static final String[] LEVELS = {
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"
    };

    private OtlpRecords() {}

    private record Resource(String host, String service) {}

    static String text(List<Entry> batch) {
        Map<Resource, List<Json>> records = new LinkedHashMap<>();
        for (Entry entry : batch) {
            Resource resource =
                    new Resource(
                            entry.text("_HOSTNAME").orElse("localhost"),
                            ForwardedText.service(entry).orElse("unknown_service"));
            records.computeIfAbsent(resource, _ -> new ArrayList<>()).add(record(entry));
        }
        List<Json> resources = new ArrayList<>();
        records.forEach((resource, logs) -> resources.add(resource(resource, logs)));
        return JsonObject.of("resourceLogs", Json.array(resources)).toString();
    }

    private static Json resource(Resource resource, List<Json> logs) {
        List<Json> attributes =
                List.of(
                        attribute("host.name", text(resource.host())),
                        attribute("service.name", text(resource.service())));
        return JsonObject.builder()
                .put("resource", JsonObject.of("attributes", Json.array(attributes)))
                .put(
                        "scopeLogs",
                        List.of(
                                JsonObject.builder()
                                        .put("scope", JsonObject.of("name", "holdfast"))
                                        .put("logRecords", logs)
                                        .build()))
                .build();
    }

    private static Json record(Entry entry) {
        String nanos = entry.realtimeMicros() + "000";
        int level = ForwardedText.level(entry);
        return JsonObject.builder()
                .put("timeUnixNano", nanos)
                .put("observedTimeUnixNano", nanos)
                .put("severityNumber", SEVERITY[level])
                .put("severityText", LEVELS[level])
                .put("body", text(ForwardedText.message(entry)))
                .put("attributes", attributes(entry))
                .build();
    }

    /** A field that occurs several times is one attribute, since their names must differ. */
    private static List<Json> attributes(Entry entry) {
        Map<String, List<Json>> values = new LinkedHashMap<>();
        for (Field field : entry.fields()) {
            if (!field.hasName("MESSAGE")) {
                values.computeIfAbsent(field.name(), _ -> new ArrayList<>()).add(value(field));
            }
        }
        List<Json> attributes = new ArrayList<>(values.size());
        values.forEach((name, all) ->
                attributes.add(
                        attribute(
                                name,
                                all.size() == 1
                                        ? all.getFirst()
                                        : JsonObject.of(
                                                "arrayValue",
                                                JsonObject.of("values", Json.array(all))))));
        return attributes;
    }

    private static Json value(Field field) {
        return field.isText()
                ? text(ForwardedText.text(field))
                : JsonObject.of(
                        "bytesValue",
                        Base64.getEncoder().encodeToString(ForwardedText.bytes(field)));
    }

    private static Json attribute(String name, Json value) {
        return JsonObject.builder().put("key", name).put("value", value).build();
    }

    private static Json text(String value) {
        return JsonObject.of("stringValue", value);
    }
}
