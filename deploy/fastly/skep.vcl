# Fastly in front of a skep repository. The same as ../varnish/skep.vcl; test/cdn/vectors.json is run on both.
#
# It keeps the public repository and nothing else. Private repositories are always passed on to `skep edge`. This file
# could verify access tokens itself (digest.ecdsa_verify), but not API keys, which rebar3 sends; a second verifier,
# written with regular expressions over JSON, would be one more to go wrong; and the credentials below, which can read
# no private file, would have to be ones that can.
#
# What Terraform brings (../terraform/fastly.tf): the backends F_bucket, with a shield, and F_skep_edge, without; the
# dictionary skep_bucket with the bucket's host, region and the access key of a reader of public files.

sub vcl_recv {
#FASTLY recv

  # Files are purged by surrogate key, over Fastly's API; by URL by nobody.
  if (req.method == "FASTLYPURGE" || req.method == "PURGE") {
    error 605 "Method Not Allowed";
  }
  if (req.method != "GET" && req.method != "HEAD") {
    error 605 "Method Not Allowed";
  }

  # No object has a query. With it in the cache key anybody could fill the cache with copies.
  set req.url = regsub(req.url, "[?#].*$", "");

  # Keys are plain ASCII that needs no escape. Any other spelling of a path could mean something else to whoever is
  # asked than it does to the rules below (%2e%2e, //, a backslash).
  if (req.url !~ "^/[A-Za-z0-9_.+/-]+$" || req.url ~ "//|/\.\.?(/|$)|/$") {
    error 604 "Not Found";
  }

  # Whatever could be varied by is dropped, so that no one request decides what the next reader gets.
  unset req.http.Accept;
  unset req.http.Accept-Encoding;
  unset req.http.Accept-Language;
  unset req.http.Cookie;
  unset req.http.Fastly-Debug;
  unset req.http.Origin;
  unset req.http.Surrogate-Key;
  unset req.http.Surrogate-Capability;
  unset req.http.X-Forwarded-Host;
  unset req.http.X-Forwarded-Proto;
  unset req.http.X-Original-URL;
  unset req.http.X-Rewrite-URL;

  # Who may read a private repository is asked for every request, and nothing of it is kept here.
  if (req.url ~ "^/repos/[^/]+/.") {
    set req.backend = F_skep_edge;
    return(pass);
  }
  if (req.url ~ "(?i)/repos/|^/repos$") {
    error 604 "Not Found";
  }

  # Public objects are the same for everybody. The backend is the one that the macro has chosen: F_bucket's shield, or
  # at the shield F_bucket.
  unset req.http.Authorization;
  return(lookup);
}

sub vcl_hash {
  # Not the Host header: it would give everybody a cache of their own to fill.
  set req.hash += req.url;
#FASTLY hash
  return(hash);
}

sub vcl_hit {
#FASTLY hit
  if (!obj.cacheable) {
    return(pass);
  }
  return(deliver);
}

sub vcl_miss {
#FASTLY miss
  if (req.backend == F_bucket) {
    call skep_sign;
  }
  return(fetch);
}

# For a private path, and for what was not kept a moment ago.
sub vcl_pass {
#FASTLY pass
  if (req.backend == F_bucket) {
    call skep_sign;
  }
  return(pass);
}

//@scope: miss,pass
# Signs a request to the bucket (AWS Signature Version 4), which nobody can read without.
sub skep_sign {
  declare local var.date STRING;
  declare local var.region STRING;
  declare local var.scope STRING;
  declare local var.canonical STRING;
  declare local var.to_sign STRING;
  declare local var.signature STRING;

  set var.date = strftime({"%Y%m%d"}, now);
  set var.region = table.lookup(skep_bucket, "region");
  set var.scope = var.date "/" var.region "/s3/aws4_request";
  set bereq.http.Host = table.lookup(skep_bucket, "host");
  set bereq.http.x-amz-content-sha256 = digest.hash_sha256("");
  set bereq.http.x-amz-date = strftime({"%Y%m%dT%H%M%SZ"}, now);
  # A plus would be read as a space.
  set bereq.url = regsuball(req.url, "\+", {"%2B"});
  set var.canonical = bereq.method LF bereq.url LF LF
    "host:" bereq.http.Host LF
    "x-amz-content-sha256:" bereq.http.x-amz-content-sha256 LF
    "x-amz-date:" bereq.http.x-amz-date LF
    LF
    "host;x-amz-content-sha256;x-amz-date" LF
    bereq.http.x-amz-content-sha256;
  set var.to_sign = "AWS4-HMAC-SHA256" LF bereq.http.x-amz-date LF var.scope LF digest.hash_sha256(var.canonical);
  set var.signature = digest.awsv4_hmac(
    table.lookup(skep_bucket, "secret_access_key"), var.date, var.region, "s3", var.to_sign);
  set bereq.http.Authorization = "AWS4-HMAC-SHA256 Credential=" table.lookup(skep_bucket, "access_key_id") "/"
    var.scope ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" regsub(var.signature, "^0x", "");
}

sub vcl_fetch {
#FASTLY fetch
  unset beresp.http.Set-Cookie;

  # A private file: as it is, with what it says to the client's own cache.
  if (req.url ~ "^/repos/") {
    return(pass);
  }

  # An origin in trouble: readers keep what they have.
  if (beresp.status >= 500 && stale.exists) {
    return(deliver_stale);
  }
  # Clients check signatures and digests over the stored bytes and undo no encoding.
  if (beresp.http.Content-Encoding) {
    if (stale.exists) {
      return(deliver_stale);
    }
    error 602 "The origin encodes registry objects";
  }

  # A bucket cannot send Surrogate-*; the generator stores them as metadata, which S3 sends like this.
  if (!beresp.http.Surrogate-Key && beresp.http.x-amz-meta-surrogate-key) {
    set beresp.http.Surrogate-Key = beresp.http.x-amz-meta-surrogate-key;
  }
  if (!beresp.http.Surrogate-Control && beresp.http.x-amz-meta-surrogate-control) {
    set beresp.http.Surrogate-Control = beresp.http.x-amz-meta-surrogate-control;
  }
  unset beresp.http.Vary;

  # A 404 bears no surrogate key: kept, it would hide a package that is published a moment later. Nor is anything
  # kept that no purge would reach.
  if (beresp.status != 200
      || beresp.http.Surrogate-Key !~ "[^ ,]"
      || beresp.http.Surrogate-Control !~ "(^|[ ,])max-age=[1-9][0-9]*"
      || beresp.http.Surrogate-Control ~ "(^|[ ,])(no-store|private)") {
    set beresp.ttl = 1s;
    set beresp.stale_if_error = 0s;
    set beresp.stale_while_revalidate = 0s;
    return(pass);
  }

  # What Surrogate-Control says of every object. Fastly has read the headers before they were taken from metadata.
  set beresp.ttl = 604800s;
  # What the shield could not renew is asked for again soon.
  if (beresp.http.X-Cache == "STALE") {
    set beresp.ttl = 60s;
  }
  # How long installs go on with what is kept when the bucket is down and the object has expired. What was purged is
  # gone at once.
  set beresp.stale_if_error = 604800s;
  set beresp.stale_while_revalidate = 60s;
  set beresp.gzip = false;
  return(deliver);
}

sub vcl_error {
#FASTLY error
  # The bucket does not answer at all.
  if (obj.status >= 500 && obj.status < 600 && stale.exists) {
    return(deliver_stale);
  }
  if (obj.status == 602) {
    set obj.status = 502;
  }
  if (obj.status == 604) {
    set obj.status = 404;
  }
  if (obj.status == 605) {
    set obj.status = 405;
    set obj.http.Allow = "GET, HEAD";
  }
  set obj.http.Content-Type = "text/plain; charset=utf-8";
  set obj.http.Cache-Control = "no-store";
  if (obj.status >= 500) {
    set obj.http.Retry-After = "5";
  }
  synthetic obj.response LF;
  return(deliver);
}

sub vcl_deliver {
#FASTLY deliver
  if (resp.status >= 400) {
    # Caches further on may keep a 404 as long as they see fit unless told otherwise.
    set resp.http.Cache-Control = "no-store";
  }
  if (fastly_info.state ~ "^HIT-STALE") {
    set resp.http.X-Cache = "STALE";
  } else if (fastly_info.state ~ "^HIT") {
    set resp.http.X-Cache = "HIT";
  } else {
    set resp.http.X-Cache = "MISS";
  }
  # A shield gives the surrogate keys on to the caches that it shields. Who says so of himself (Fastly-FF) is not
  # believed, this counter is.
  if (fastly.ff.visits_this_service == 0) {
    unset resp.http.Surrogate-Control;
    unset resp.http.Surrogate-Key;
  }
  unset resp.http.Server;
  unset resp.http.Via;
  unset resp.http.X-Cache-Hits;
  unset resp.http.X-Served-By;
  unset resp.http.X-Timer;
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
  return(deliver);
}

sub vcl_log {
#FASTLY log
}
