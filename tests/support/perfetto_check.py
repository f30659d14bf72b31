"""Decodes a Perfetto trace with the message classes of the package `perfetto`; prints its tracks as JSON.

Fails when a slice ends that did not begin, begins and does not end, or lies on a track without a name.
"""
import json
import sys

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as messages

trace = messages.Trace()
trace.ParseFromString(open(sys.argv[1], "rb").read())
names, parents, slices, open_slices, flows = {}, {}, {}, {}, {}
last = {}
for packet in trace.packet:
    assert packet.trusted_packet_sequence_id == 1
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        assert track.uuid not in names, "a track is described twice"
        names[track.uuid] = track.name or f"process {track.process.pid} {track.process.process_name}".strip()
        assert names[track.uuid], "a track without a name"
        if track.parent_uuid:
            assert track.parent_uuid in names, "a child before its parent"
            parents[track.uuid] = track.parent_uuid
    else:
        event = packet.track_event
        track = event.track_uuid
        assert track in names, "a slice on an unknown track"
        assert packet.timestamp >= last.get(track, 0), "time goes backward on a track"
        last[track] = packet.timestamp
        stack = open_slices.setdefault(track, [])
        if event.type == messages.TrackEvent.TYPE_SLICE_BEGIN:
            assert event.name, "a slice without a name"
            notes = {note.name: note.string_value for note in event.debug_annotations}
            stack.append([packet.timestamp, event.name, list(event.categories), notes])
            for flow in event.flow_ids:
                flows.setdefault(flow, []).append(event.categories[0])
        else:
            assert event.type == messages.TrackEvent.TYPE_SLICE_END
            begin = stack.pop()
            slices.setdefault(track, []).append([begin[0], packet.timestamp, begin[1], begin[2][0]])
assert not any(open_slices.values()), "a slice that never ends"
for ends in flows.values():
    assert ends.count("cuda-api") == 1 and len(ends) > 1, f"an arrow from nowhere or to nowhere: {ends}"
tracks = [
    {"home": names[parents[track]], "name": names[track], "slices": sorted(slices[track])}
    for track in names
    if track in slices
]
json.dump({"tracks": tracks, "flows": len(flows)}, sys.stdout)
