module sallyport.dev/e2e/cluster/components/pause

go 1.24.0
