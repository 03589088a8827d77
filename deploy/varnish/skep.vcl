# Varnish in front of a skep repository: Varnish 7.1 or newer with vmod xkey (package varnish-modules).
#
# It keeps the public repository and nothing else. Every object carries surrogate keys, the generator purges
# by them, and what cannot be purged by key is not stored. Private repositories are passed on to `skep edge`,
# which decides for every request who reads. Start varnishd with `-p http_gzip_support=off`; README.md beside
# this file has the whole command. ../fastly/skep.vcl does the same; test/cdn/vectors.json is run on both.
vcl 4.1;

import std;
import xkey;

# Yours: the backends `skep_origin` and `skep_edge`, the acl `skep_purgers` and the sub `skep_check_purge_token`.
include "skep-settings.vcl";

sub vcl_recv {
	unset req.http.Skep-Purged;
	if (req.method == "PURGE") {
		call skep_purge;
	}
	if (req.method != "GET" && req.method != "HEAD") {
		return (synth(405, "Method Not Allowed"));
	}

	# No object has a query. With it in the cache key anybody could fill the cache with copies, or have
	# the origin asked at will.
	set req.url = regsub(req.url, "[?#].*$", "");

	# Keys are plain ASCII that needs no escape. Any other spelling of a path could mean something else
	# to the origin than it does to the rules below (%2e%2e, //, a backslash).
	if (req.url !~ "^/[A-Za-z0-9_.+/-]+$" || req.url ~ "//|/\.\.?(/|$)|/$") {
		return (synth(404, "Not Found"));
	}

	# Whatever the origin might vary by is dropped, so that no one request decides what the next reader
	# gets.
	unset req.http.Accept;
	unset req.http.Accept-Encoding;
	unset req.http.Accept-Language;
	unset req.http.Cookie;
	unset req.http.Origin;
	unset req.http.Proxy;
	unset req.http.Surrogate-Key;
	unset req.http.Surrogate-Capability;
	unset req.http.X-Forwarded-Host;
	unset req.http.X-Forwarded-Proto;
	unset req.http.X-Original-URL;
	unset req.http.X-Rewrite-URL;

	# Who may read a private repository is asked for every request, and nothing of it is kept here.
	if (req.url ~ "^/repos/[^/]+/.") {
		set req.backend_hint = skep_edge;
		return (pass);
	}
	# Case is ignored because a folder store on some file systems ignores it.
	if (req.url ~ "(?i)/repos/|^/repos$") {
		return (synth(404, "Not Found"));
	}

	# Public objects are the same for everybody.
	set req.backend_hint = skep_origin;
	unset req.http.Authorization;
	return (hash);
}

# A purge drops the objects that bear one of the keys in the request's Surrogate-Key header. It is a hard
# purge: a reader never gets an object that was purged, not even while the origin is down.
#
# One purge is not enough. A fetch that was sent to the origin before the object changed, and answered
# after the purge, stores the old object when no key could reach it yet. The generator therefore purges
# again two seconds later and reads back through this cache, and first_byte_timeout below is short.
sub skep_purge {
	if (client.ip !~ skep_purgers) {
		return (synth(403, "Purging is not allowed from this address"));
	}
	call skep_check_purge_token;
	unset req.http.Skep-Purge-Token;
	if (req.http.Surrogate-Key !~ "[^ ,]") {
		return (synth(400, "A purge names surrogate keys"));
	}
	set req.http.Skep-Purged = xkey.purge(req.http.Surrogate-Key);
	return (synth(200, "Purged"));
}

sub vcl_hash {
	# Not the Host header: it would give everybody a cache of their own to fill.
	hash_data(req.url);
	return (lookup);
}

sub vcl_backend_fetch {
	# The backend's host_header takes its place.
	unset bereq.http.Host;
	# Varnish sets it by itself unless http_gzip_support is off.
	unset bereq.http.Accept-Encoding;
	# Until the first byte a fetch is out of a purge's reach (see skep_purge), so that time is short.
	set bereq.first_byte_timeout = 10s;
	set bereq.between_bytes_timeout = 10s;
	return (fetch);
}

sub vcl_backend_response {
	# A refresh in the background, while readers get the expired object: anything but the object or the
	# news that it is gone is an origin in trouble, and readers keep what they have.
	if (bereq.is_bgfetch && beresp.status != 200 && beresp.status != 404 && beresp.status != 410) {
		return (abandon);
	}
	# Clients check signatures and digests over the stored bytes and undo no encoding.
	if (beresp.http.Content-Encoding) {
		if (bereq.is_bgfetch) {
			return (abandon);
		}
		return (error(502, "The origin encodes registry objects"));
	}

	unset beresp.http.Set-Cookie;
	# A private file, which was passed: as it is, with what it says to the client's own cache.
	if (bereq.uncacheable && bereq.url ~ "^/repos/") {
		return (deliver);
	}

	# A bucket cannot send Surrogate-*; the generator stores them as metadata, which S3 sends like this.
	if (!beresp.http.Surrogate-Key && beresp.http.x-amz-meta-surrogate-key) {
		set beresp.http.Surrogate-Key = beresp.http.x-amz-meta-surrogate-key;
	}
	if (!beresp.http.Surrogate-Control && beresp.http.x-amz-meta-surrogate-control) {
		set beresp.http.Surrogate-Control = beresp.http.x-amz-meta-surrogate-control;
	}
	unset beresp.http.xkey;
	unset beresp.http.Vary;

	if (beresp.status != 200
	    || beresp.http.Surrogate-Key !~ "[^ ,]"
	    || beresp.http.Surrogate-Control !~ "(^|[ ,])max-age=[1-9][0-9]*"
	    || beresp.http.Surrogate-Control ~ "(^|[ ,])(no-store|private)") {
		call skep_do_not_store;
		return (deliver);
	}

	set beresp.http.xkey = beresp.http.Surrogate-Key;
	set beresp.ttl = std.duration(
	    regsub(beresp.http.Surrogate-Control, "^(.*[ ,])?max-age=([0-9]+).*$", "\2s"), 60s);
	# How long installs go on with what is cached when the origin is down and the object has expired.
	set beresp.grace = 7d;
	set beresp.keep = 0s;
	return (deliver);
}

# A 404 bears no surrogate key: stored, it would hide a package that is published a moment later. What
# stays for a second is a mark without content, which lets requests for the same path go to the origin
# side by side instead of queueing for an answer that they could not share.
sub skep_do_not_store {
	set beresp.uncacheable = true;
	set beresp.ttl = 1s;
	set beresp.grace = 0s;
	set beresp.keep = 0s;
}

sub vcl_backend_error {
	if (bereq.is_bgfetch) {
		return (abandon);
	}
	call skep_do_not_store;
	set beresp.http.Content-Type = "text/plain; charset=utf-8";
	set beresp.http.Retry-After = "5";
	set beresp.body = beresp.reason + {"
"};
	return (deliver);
}

sub vcl_deliver {
	if (obj.hits == 0) {
		set resp.http.X-Cache = "MISS";
	} elsif (obj.ttl <= 0s) {
		set resp.http.X-Cache = "STALE";
	} else {
		set resp.http.X-Cache = "HIT";
	}
	if (resp.status >= 400) {
		# Caches further on may keep a 404 as long as they see fit unless told otherwise.
		set resp.http.Cache-Control = "no-store";
	}
	call skep_hide;
	return (deliver);
}

sub vcl_synth {
	set resp.http.Content-Type = "text/plain; charset=utf-8";
	set resp.http.Cache-Control = "no-store";
	if (resp.status == 405) {
		set resp.http.Allow = "GET, HEAD";
	}
	if (req.http.Skep-Purged) {
		set resp.http.Skep-Purged = req.http.Skep-Purged;
	}
	call skep_hide;
	set resp.body = resp.reason + {"
"};
	return (deliver);
}

# What only the cache and the generator need to know.
sub skep_hide {
	unset resp.http.Server;
	unset resp.http.Surrogate-Control;
	unset resp.http.Surrogate-Key;
	unset resp.http.Via;
	unset resp.http.X-Varnish;
	unset resp.http.xkey;
	unset resp.http.x-amz-id-2;
	unset resp.http.x-amz-request-id;
	unset resp.http.x-amz-server-side-encryption;
	unset resp.http.x-amz-version-id;
	unset resp.http.x-amz-meta-surrogate-control;
	unset resp.http.x-amz-meta-surrogate-key;
	unset resp.http.x-amz-meta-skep-generation;
	unset resp.http.x-amz-meta-skep-claim;
	unset resp.http.x-amz-meta-skep-hash;
	unset resp.http.x-amz-meta-skep-header-version;
	unset resp.http.x-amz-meta-skep-key;
	unset resp.http.x-amz-meta-skep-revision;
}
